"""Every fault and note ingestion can state, as data: rule, its source, text in both languages, a good example."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """What is said about a code; texts may hold {placeholders}."""

    rule: str
    clause: str
    zh: str
    en: str
    example: str = ""
    about: str = "submission"  # or a note on an accepted one, or a command of the operator


NOTE, COMMAND = "note", "command"
CONTRACT = "submission contract"
CATALOGUE = "catalogue item"
USCC_EXAMPLE = "91420100MA4KLM0N5H"

CODES: dict[str, Entry] = {
    # --- bytes and envelope
    "UNDECODABLE": Entry(
        "Confluent frame and Avro body of the item's schema",
        CONTRACT,
        "报文无法按目录事项的Avro模式解码",
        "the message cannot be decoded with the item's Avro schema",
        "0x00, 4-byte schema id, Avro body",
    ),
    "SCHEMA_UNKNOWN": Entry(
        "schema id of a published edition of the item",
        CONTRACT,
        "模式编号不属于任何已发布的目录事项版本",
        "the schema id belongs to no published edition of a catalogue item",
        "the latest schema of subject cn.hubei.credit.item.<item>",
    ),
    "DISCARDED_BY_OPERATOR": Entry(
        "a submission that could not be processed and was discarded",
        CONTRACT,
        "该报文无法处理，已由平台管理员作废，请核对后重新报送",
        "the submission could not be processed and was discarded by the operator; check it and send it again",
        "the same record with a new submission_id",
    ),
    "KEY_MISMATCH": Entry(
        "message key = record_no",
        CONTRACT,
        "消息键必须等于record_no",
        "the message key must equal record_no",
        "key and record_no both r-2017-0001",
    ),
    "ENVELOPE_FORMAT": Entry(
        "{rule}",
        CONTRACT,
        "信封字段{field}格式不正确：{rule_zh}",
        "envelope field {field} is malformed: {rule}",
        "r-2017-0001",
    ),
    "ENVELOPE_RANGE": Entry(
        "{low} to {high}",
        CONTRACT,
        "信封字段{field}超出范围：{low}至{high}",
        "envelope field {field} is out of range: {low} to {high}",
        "2017-03-29",
    ),
    "AGENCY_MISMATCH": Entry(
        "agency = agency of the topic",
        CONTRACT,
        "报送单位与主题所属单位不一致",
        "the agency is not the one the topic belongs to",
        "420000-gsj",
    ),
    "AGENCY_UNKNOWN": Entry(
        "a registered agency", CONTRACT, "报送单位尚未登记", "the agency is not registered", "420000-gsj"
    ),
    "ITEM_MISMATCH": Entry(
        "item = item of the schema",
        CONTRACT,
        "目录事项与所用模式不一致",
        "the item is not the one its schema belongs to",
        "org-penalty",
    ),
    "CATALOGUE_NOT_OWNED": Entry(
        "an item this agency is responsible for",
        CATALOGUE,
        "该单位不是此目录事项的责任单位",
        "the agency is not responsible for this catalogue item",
        "org-penalty",
    ),
    "ACTION_UNKNOWN": Entry(
        "report, correct or withdraw",
        CONTRACT,
        "操作类型只能是report、correct或withdraw",
        "the action must be report, correct or withdraw",
        "report",
    ),
    "SUBJECT_KIND_NOT_ALLOWED": Entry(
        "{rule}",
        CATALOGUE,
        "此目录事项不接收该主体类别，允许：{rule}",
        "the item does not take this kind of subject; allowed: {rule}",
        "org",
    ),
    "SUBJECT_CODE_KIND": Entry(
        "{rule}",
        CONTRACT,
        "不支持的主体代码类别，允许：{rule}",
        "unsupported kind of subject code; allowed: {rule}",
        "uscc",
    ),
    "SUBJECT_CODE_FORMAT": Entry(
        "form of the code",
        "GB 32100-2015 / GB 11714-1997 / GS 15-2006",
        "主体代码格式不正确",
        "the subject code is malformed",
        USCC_EXAMPLE,
    ),
    "SUBJECT_ERASED": Entry(
        "a person who is not erased",
        "PIPL 47",
        "该自然人的信息已依法删除，不再归集",
        "this person was erased; nothing about them is taken in any more",
        "do not send it again",
    ),
    "SUBJECT_CODE_CHECK_DIGIT": Entry(
        "check digit",
        "GB 32100-2015 / GB 11714-1997 / GS 15-2006",
        "主体代码校验位不正确",
        "the check digit of the subject code is wrong",
        USCC_EXAMPLE,
    ),
    "SUBJECT_CODE_PLACEHOLDER": Entry(
        "a code that names one subject",
        "GB 32100-2015",
        "占位代码不能指向任何主体，请改用工商注册号",
        "a placeholder names no subject; use the registration number",
        USCC_EXAMPLE,
    ),
    "DECIDED_ON_FUTURE": Entry(
        "not after the day of receipt", CONTRACT, "决定日期晚于今天", "decided_on lies in the future", "2017-03-29"
    ),
    "PRODUCED_AT_FUTURE": Entry(
        "not after the moment of receipt",
        CONTRACT,
        "产生时间晚于接收时间，请校准时钟",
        "produced_at lies in the future; set the clock right",
        "2017-03-29T08:00:00.000Z",
    ),
    # --- payload
    "FIELD_MISSING": Entry(
        "{rule}", CATALOGUE, "字段{field}（{name}）必填：{rule_zh}", "field {field} is required: {rule}", "演示内容"
    ),
    "FIELD_LENGTH": Entry(
        "at most {limit} characters",
        CATALOGUE,
        "字段{field}（{name}）超过{limit}个字符",
        "field {field} has more than {limit} characters",
        "演示内容",
    ),
    "FIELD_CHARACTERS": Entry(
        "no control characters",
        CATALOGUE,
        "字段{field}（{name}）含有控制字符",
        "field {field} holds control characters",
        "演示内容",
    ),
    "FIELD_CODE_LIST": Entry(
        "{rule}",
        CATALOGUE,
        "字段{field}（{name}）取值不在代码表内：{rule}",
        "field {field} is not in its code list: {rule}",
        "罚款",
    ),
    "FIELD_FORMAT": Entry(
        "{rule}",
        CATALOGUE,
        "字段{field}（{name}）格式不正确：{rule_zh}",
        "field {field} is malformed: {rule}",
        "91420100MA4KLM0N5H",
    ),
    "FIELD_RANGE": Entry(
        "{low} to {high}",
        CATALOGUE,
        "字段{field}（{name}）超出范围：{low}至{high}",
        "field {field} is out of range: {low} to {high}",
        "2017",
    ),
    "FIELD_ORDER": Entry(
        "not before {other}",
        CATALOGUE,
        "字段{field}（{name}）早于{other}",
        "field {field} lies before {other}",
        "2018-03-29",
    ),
    "FIELD_DISAGREES": Entry(
        "same as {other}",
        CATALOGUE,
        "字段{field}（{name}）与信封字段{other}不一致",
        "field {field} differs from envelope field {other}",
        "= subject_code",
    ),
    "FORBIDDEN_CONTENT": Entry(
        "no resident identity number",
        "domain deny-list",
        "字段{field}（{name}）含有公民身份号码，禁止报送",
        "field {field} holds a resident identity number, which must not be sent",
        "演示内容",
    ),
    # --- state
    "NOT_COLLECTED": Entry(
        "{rule}",
        CATALOGUE,
        "字段{field}（{name}）表明此信息依法不予归集：{rule_zh}。请勿报送；填写有误的，更正后重新报送",
        "field {field} shows what the law keeps out: {rule}; do not send it; mend the field if it is wrong",
        "普通程序",
    ),
    "RECORD_NO_REUSED": Entry(
        "one record_no, one record",
        CONTRACT,
        "record_no已被使用且内容不同，更正请用correct",
        "record_no is taken by other content; use correct to change it",
        "correct",
    ),
    "RECORD_UNKNOWN": Entry(
        "a record reported before",
        CONTRACT,
        "没有这一record_no的记录，请先报送",
        "no record has this record_no; report it first",
        "report",
    ),
    "CORRECTION_STALE": Entry(
        "produced_at not before the standing version's",
        CONTRACT,
        "更正早于现行版本",
        "the correction is older than what stands",
        "the moment at which the correction was made",
    ),
    "ALREADY_WITHDRAWN": Entry(
        "a record that is not withdrawn",
        CONTRACT,
        "记录已撤回，请使用新的record_no",
        "the record is withdrawn; use a new record_no",
        "r-2017-0002",
    ),
    # --- notes on accepted records
    "SUBJECT_CODE_REPAIRED": Entry(
        "upper case",
        "GB 32100-2015",
        "主体代码含小写字母，已按大写处理",
        "the subject code had lower-case letters and was read in upper case",
        USCC_EXAMPLE,
        about=NOTE,
    ),
    "ORG_CODE_DIGIT_SUSPECT": Entry(
        "inner organisation code",
        "GB 11714-1997",
        "代码内的组织机构代码校验位可疑",
        "the check digit of the organisation code inside is suspect",
        USCC_EXAMPLE,
        about=NOTE,
    ),
    "USCC_CATEGORY_UNLISTED": Entry(
        "registering department and kind of body, the first two characters, as in the published table",
        "GB 32100-2015",
        "代码前两位（登记管理部门、机构类别）不在已公布的代码表内，已照收",
        "the code's first two characters (registering department, kind of body) are in no published table; accepted",
        USCC_EXAMPLE,
        about=NOTE,
    ),
    "DUE_ON_UNKNOWN": Entry(
        "calendar of working days",
        CATALOGUE,
        "无该年份工作日历，无法计算报送期限",
        "no working-day calendar for that year, so no due date is stated",
        about=NOTE,
    ),
    # --- commands
    "COMMAND_ARGUMENTS": Entry(
        "{rule}",
        "command",
        "命令参数不正确：{rule}",
        "the arguments of the command are wrong: {rule}",
        about=COMMAND,
    ),
    "REGION_UNKNOWN": Entry(
        "a region of Hubei",
        "GB/T 2260",
        "行政区划代码未知",
        "the region code is unknown",
        "420000",
        about=COMMAND,
    ),
    "REGION_NOT_IN_FORCE": Entry(
        "a region code that is in force in that year",
        "GB/T 2260",
        "该行政区划代码在{year}年未生效",
        "the region code is not in force in {year}",
        "420304 since 2014, 420321 before",
        about=COMMAND,
    ),
    "PARENT_TIER": Entry(
        "a unit of a higher tier whose region holds this one's; tiers: {tiers}",
        "鄂信用文〔2017〕1号第10项",
        "上级单位须为包含本区域的上一级或更高层级单位",
        "the parent must be of a higher tier, and its region must hold this one's",
        "420100-xyb for 420102-xyb",
        about=COMMAND,
    ),
    "ROLE_NO_OFFICE": Entry(
        "an office or post, at most 60 characters; no person's name, number or address",
        "鄂信用文〔2017〕1号第33项",
        "责任人须填写部门或岗位名称，不得填写姓名、电话或地址",
        "a role is filled by an office or a post, never by a person's name, number or address",
        "政策法规处",
        about=COMMAND,
    ),
    "DEFINITION_FAULT": Entry(
        "{rule}",
        CATALOGUE,
        "目录事项定义不正确：{rule}",
        "the definition of the item is wrong: {rule}",
        about=COMMAND,
    ),
    "LEGAL_BASIS_MISSING": Entry(
        "document and article",
        CATALOGUE,
        "目录事项缺少法律依据",
        "the item has no legal basis",
        about=COMMAND,
    ),
    "ATTRIBUTE_FORBIDDEN": Entry(
        "no forbidden attribute",
        "domain deny-list",
        "字段{field}属于禁止归集的个人信息",
        "field {field} is personal information that must not be collected",
        about=COMMAND,
    ),
    "EDITION_FIXED": Entry(
        "a published edition never changes",
        CATALOGUE,
        "已发布的版本不可更改，请提高版本号",
        "a published edition cannot be changed; raise the version",
        about=COMMAND,
    ),
    "SENSITIVITY_LOOSENED": Entry(
        "a field stays as sensitive as it was",
        CATALOGUE,
        "字段{field}在旧版本中为敏感字段，新版本不得公开",
        "field {field} was sensitive in an earlier edition; records of that edition must not become visible",
        about=COMMAND,
    ),
    "DOCUMENT_NUMBER_MISSING": Entry(
        "the number of the document that publishes it",
        CATALOGUE,
        "缺少发布文号，目录事项须以文件发布",
        "an item is published by a document; its number is missing",
        "鄂信用文〔2017〕1号",
        about=COMMAND,
    ),
    "ITEM_UNKNOWN": Entry(
        "a published catalogue item",
        CATALOGUE,
        "该目录事项尚未发布",
        "the catalogue item is not published",
        about=COMMAND,
    ),
    "ITEM_RETIRED": Entry(
        "an item that is not retired",
        CATALOGUE,
        "目录事项已停用，不再接收新的报送；已报送记录仍可更正或撤回",
        "the item is retired and takes no new report; what was reported can still be corrected or withdrawn",
        "correct",
    ),
    "ITEM_NOT_OPEN": Entry(
        "an item that takes reports",
        CATALOGUE,
        "目录事项已列入目录，但平台尚未开放接收",
        "the item is in the catalogue, but the platform does not take it yet",
        "org-penalty",
    ),
    "ITEM_NOT_IN_FORCE": Entry(
        "a day on which this edition is in force",
        CATALOGUE,
        "今天不在该版本目录事项的有效期内，请使用现行版本",
        "this edition of the item is not in force today; use the one that is",
        "the schema of the edition that is in force",
    ),
    "DRAFT_UNKNOWN": Entry(
        "drafts that stand",
        CATALOGUE,
        "没有单位{field}的草案可归一",
        "there is no draft of {field} to be merged",
        "420000-hbt",
        about=COMMAND,
    ),
    "NOTHING_TO_CONFIRM": Entry(
        "a merged draft of this version",
        CATALOGUE,
        "该版本没有待盖章确认的目录事项",
        "there is no merged draft of this version to be confirmed",
        about=COMMAND,
    ),
    "UNIT_NOT_RESPONSIBLE": Entry(
        "a responsible unit of the item: {rule}",
        CATALOGUE,
        "该单位不是此目录事项的责任单位：{rule}",
        "the unit is not responsible for the item: {rule}",
        about=COMMAND,
    ),
    "SEAL_MISSING": Entry(
        "confirmed by every responsible unit",
        CATALOGUE,
        "尚未盖章确认的责任单位：{rule}",
        "not confirmed yet by {rule}",
        "credit catalogue confirm ITEM --unit UNIT",
        about=COMMAND,
    ),
    "CANDIDATE_DIFFERS": Entry(
        "the definition that was confirmed",
        CATALOGUE,
        "与已盖章确认的内容不一致",
        "differs from the definition that was merged and confirmed",
        about=COMMAND,
    ),
    "READER_BROKEN": Entry(
        "what registered consumers read stays readable",
        CATALOGUE,
        "字段{field}的变更将使使用单位无法读取：{rule}",
        "the change of field {field} breaks {rule}",
        about=COMMAND,
    ),
    "SCHEMA_INCOMPATIBLE": Entry(
        "every edition can read every other",
        CATALOGUE,
        "字段{field}与已发布版本不兼容：{rule}",
        "field {field} is incompatible with an edition published before: {rule}",
        about=COMMAND,
    ),
    "FIELD_UNKNOWN": Entry(
        "a field of the item", CATALOGUE, "目录事项没有字段{field}", "the item has no field {field}", about=COMMAND
    ),
}
