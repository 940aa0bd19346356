"""What sanctions consumes, and the aggregate behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from services.chassis.handling import Handler, Transaction
from services.chassis.message import Message, Moment, Outgoing, Timer
from services.chassis.schemas import Schemas
from services.sanctions import contracts, metrics, store
from services.sanctions.domain import deciding, department, joint_action
from services.sanctions.domain.department import AgencyRegistered, Department, DepartmentKnown
from services.sanctions.domain.events import Event, FeedbackAnswered, ListingRefused, TaskChanged
from services.sanctions.domain.inputs import Feedback, Input, Irrelevant
from services.sanctions.domain.joint_action import JointAction
from services.sanctions.domain.memorandum import Memorandum

NOWHERE = b""  # the key of what concerns no listing: feedback on a task that does not exist


class JointActions:
    """One listing with its tasks; reached by records in one lane and by feedback in another, so rows are locked."""

    name = "joint_action"

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        # Both of this batch only: feedback names a task, its listing is looked up; who has a topic to be told on.
        self._record_of: dict[str, bytes] = {}
        self._departments = frozenset[str]()

    def key(self, given: Input) -> bytes:
        if isinstance(given, Feedback):
            return self._record_of.get(given.task_id, NOWHERE)
        return NOWHERE if isinstance(given, Irrelevant) else given.record_id

    async def load(self, tx: Transaction, given: Sequence[Input]) -> dict[bytes, JointAction]:
        task_ids = {g.task_id for g in given if isinstance(g, Feedback)}
        self._record_of = await store.find_records(tx, task_ids)
        seen = {g.record_id for g in given if not isinstance(g, Feedback | Irrelevant)}
        if seen:
            self._departments = await store.known_departments(tx)
        return await store.load(tx, seen, set(self._record_of.values()))

    def initial(self, key: bytes) -> JointAction:
        return JointAction(key)

    def decide(self, state: JointAction, given: Input) -> Sequence[Event]:
        return () if isinstance(given, Irrelevant) else deciding.decide(state, given)

    def evolve(self, state: JointAction, event: Event) -> JointAction:
        return joint_action.evolve(state, event)

    async def save(
        self,
        tx: Transaction,
        before: Mapping[bytes, JointAction],
        after: Mapping[bytes, JointAction],
        events: Sequence[tuple[bytes, Event]],
    ) -> None:
        await store.save(tx, after, events, self._departments)

    def announce(self, event: Event, given: Input) -> Iterable[Outgoing]:
        if isinstance(event, TaskChanged) and not isinstance(given, Feedback) and not self._can_be_told(event):
            return  # it is told when the department is registered; until then there is no topic
        if isinstance(event, TaskChanged | FeedbackAnswered):
            metrics.TASKS.labels(event.change).inc()
            yield contracts.task_changed(self._schemas, event)
        elif isinstance(event, ListingRefused):
            metrics.REFUSED_LISTINGS.labels(event.reason).inc()

    def _can_be_told(self, event: TaskChanged) -> bool:
        return event.task.department in self._departments

    def timers(self, event: Event, given: Input) -> Iterable[Timer]:
        return ()


class Departments:
    """Who can be told of tasks."""

    name = "department"

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas

    def key(self, given: AgencyRegistered) -> str:
        return given.code

    async def load(self, tx: Transaction, given: Sequence[AgencyRegistered]) -> dict[str, Department]:
        return await store.load_departments(tx, {g.code for g in given})

    def initial(self, key: str) -> Department:
        return Department(key)

    def decide(self, state: Department, given: AgencyRegistered) -> Sequence[DepartmentKnown | TaskChanged]:
        return department.decide(state, given)

    def evolve(self, state: Department, event: DepartmentKnown | TaskChanged) -> Department:
        return department.evolve(state, event)

    async def save(
        self,
        tx: Transaction,
        before: Mapping[str, Department],
        after: Mapping[str, Department],
        events: Sequence[tuple[str, DepartmentKnown | TaskChanged]],
    ) -> None:
        await store.save_departments(tx, after)

    def announce(self, event: DepartmentKnown | TaskChanged, given: AgencyRegistered) -> Iterable[Outgoing]:
        if isinstance(event, TaskChanged):
            metrics.TASKS.labels(event.change).inc()
            yield contracts.task_changed(self._schemas, event)

    def timers(self, event: DepartmentKnown | TaskChanged, given: AgencyRegistered) -> Iterable[Timer]:
        return ()


def handlers(schemas: Schemas, memoranda: Mapping[str, Memorandum]) -> tuple[Handler, ...]:
    """The table of what is consumed."""
    joint_actions = JointActions(schemas)

    def record(message: Message, moment: Moment) -> Input:
        return contracts.read_record(schemas, memoranda, message, moment)

    def link(message: Message, moment: Moment) -> Input:
        return contracts.read_link(schemas, memoranda, message, moment)

    def feedback(message: Message, moment: Moment) -> Input:
        return contracts.read_feedback(schemas, message, moment)

    def agency(message: Message, moment: Moment) -> AgencyRegistered:
        return contracts.read_agency(schemas, message, moment)

    return (
        Handler("credit.identity.record.v1", joint_actions, record),
        Handler(contracts.LINK, joint_actions, link),
        Handler("credit.feedback.*", joint_actions, feedback),
        Handler("credit.ingestion.agency.v1", Departments(schemas), agency),
    )
