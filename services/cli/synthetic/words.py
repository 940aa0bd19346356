"""What invented names, addresses and texts are made of."""

from __future__ import annotations

from random import Random

MARK = "演示"  # every invented name begins with it
PLACES = {  # 地区 -> the first four digits of its codes, measured rows
    "武汉": ("4201", 38134),
    "宜昌": ("4205", 7438),
    "十堰": ("4203", 6356),
    "襄阳": ("4206", 5315),
    "荆州": ("4210", 4206),
    "黄冈": ("4211", 3983),
    "孝感": ("4209", 3600),
    "恩施": ("4228", 2930),
    "黄石": ("4202", 2768),
    "荆门": ("4208", 2539),
    "咸宁": ("4212", 2096),
    "随州": ("4213", 1441),
    "鄂州": ("4207", 1225),
    "仙桃": ("4290", 1215),
    "天门": ("4290", 792),
    "潜江": ("4290", 755),
    "神农架": ("4290", 125),
}
COUNTIES = {"仙桃": "429004", "潜江": "429005", "天门": "429006", "神农架": "429021"}
SYLLABLES = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉"
TRADES = ("商贸", "机电", "建材", "食品", "信息技术", "环保科技", "物流", "纺织", "农业", "印务", "医药", "装饰工程")
GOODS = ("样品甲", "样品乙", "练习器材", "示例建材", "示例食品", "测试仪器", "模型设备", "虚构农产品", "演示软件")
DEEDS = ("销售", "批发兼零售", "生产、销售", "的技术咨询服务", "的研发", "的租赁", "的安装及维修", "的仓储服务")
SUFFIXES = {"91": ("有限公司", "有限责任公司", "股份有限公司", "厂"), "92": ("商行", "经营部"), "93": ("专业合作社",)}
ROADS = ("演示大道", "示例路", "样本街", "练习路", "虚构巷", "测试大道")


NUMBERS = len(SYLLABLES) ** 5
STEP = 1_234_567  # has no divisor in common with NUMBERS, so that neighbours look different and none meet


def syllables(number: int) -> str:
    """A number as five invented syllables: below NUMBERS another five for every number."""
    said, number = "", number * STEP % NUMBERS
    while len(said) < 5:
        number, digit = divmod(number, len(SYLLABLES))
        said += SYLLABLES[digit]
    return said


def name(number: int, place: str, trade: str, suffix: str) -> str:
    """A name that no other number below NUMBERS has."""
    return f"{MARK}{place}{syllables(number)}{trade}{suffix}"


def region(place: str, chance: Random) -> str:
    """A region code of a place: a county's, or that of the whole prefecture."""
    return COUNTIES.get(place) or PLACES[place][0] + chance.choice(("00", "02", "03"))
