"""A cassette: what a test asks of models and environments, and what they answer."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, cast, get_args

from playhead.agent import Agent
from playhead.environment import Environment
from playhead.errors import CassetteError, RecordingMissError
from playhead.llm import Model, named_model
from playhead.record._hider import SHORTEST_SECRET, Hider
from playhead.record.cassettes._api import ApiAddresses, CassetteApi
from playhead.record.cassettes._calls import Call, Calls, Members, Place, difference
from playhead.record.cassettes._environment import CassetteEnvironment
from playhead.record.cassettes._file import Content, read_cassette, write_cassette
from playhead.record.cassettes._model import CassetteModel
from playhead.tape import Json

if TYPE_CHECKING:
    from playhead.govern import Redactor

CassetteMode: TypeAlias = Literal["replay", "new", "record", "live"]


class Cassette:
    """Records what goes through the models and environments that it wraps, or replays it.

    Args:
        path: The file. It is written by `save`, and by nothing else.
        mode: `replay` answers from the file alone; `new` also asks for what it lacks; `record` asks
            for everything; `live` asks for everything and records nothing.
        redactor: Takes values out of all that is kept, and of all that is compared with it;
            `Redactor()` if not given.
        test: What it belongs to, for who reads the file.

    Raises:
        CassetteError: The file cannot be read.
        MissingExtraError: The extra `govern` is not installed, and no redactor was given.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        mode: CassetteMode = "replay",
        redactor: Redactor | None = None,
        test: str = "",
    ) -> None:
        if mode not in get_args(CassetteMode):
            choice = ", ".join(get_args(CassetteMode))
            raise CassetteError(f"a cassette is used to {choice}, not to `{mode}`")
        self.path, self.mode, self._test = Path(path), mode, test
        self.misses: list[RecordingMissError] = []
        self._hider = Hider(redactor) if mode != "live" else None
        self._apis: list[CassetteApi] = []
        self._there = mode in ("replay", "new") and self.path.exists()
        self._content = read_cassette(self.path) if self._there else Content()
        self._calls = Calls(self._content.calls)
        self._made: list[Call] = []
        self._environments: dict[str, list[Json]] = {}
        self._sessions: dict[str, int] = {}
        self._models: dict[int, tuple[Model, CassetteModel]] = {}
        self._names: set[str] = set()

    def model(self, model: Model | str) -> Model:
        """The model, with its calls on the cassette.

        Args:
            model: A model, or its name, such as `openai:gpt-5-mini`. In a replay it is not asked.
        """
        inner = named_model(model) if isinstance(model, str) else model
        if self.mode == "live" or isinstance(inner, CassetteModel):
            return inner
        return self._models.setdefault(id(inner), (inner, CassetteModel(inner, self)))[1]

    def environment(self, environment: Environment, *, name: str | None = None) -> Environment:
        """The environment, with its tools and answers on the cassette.

        Args:
            environment: The environment, such as an MCP server. In a replay it is not opened.
            name: What the cassette calls it; after its class if not given.
        """
        if self.mode == "live":
            return environment
        base = wanted = name or type(environment).__name__
        number = 1
        while wanted in self._names:
            if name is not None:
                raise CassetteError(f"two environments are called `{name}`: name one otherwise")
            number += 1
            wanted = f"{base} {number}"
        self._names.add(wanted)
        return CassetteEnvironment(environment, self, name=wanted)

    @contextmanager
    def api(self) -> Iterator[ApiAddresses]:
        """While the context is open, the APIs of models are on the cassette, over HTTP.

        Programs and SDKs that are given these addresses are answered from the cassette; what is not
        recorded is asked at the usual ones, if anybody may be asked.

        Raises:
            MissingExtraError: The extra `record` is not installed.
        """
        usual = ApiAddresses.usual()
        if self.mode == "live":
            yield usual
            return
        api = CassetteApi(self, usual)
        self._apis.append(api)
        with api.served() as addresses:
            yield addresses

    def agent(self, agent: Agent, *, tools: bool = False) -> Agent:
        """A copy of the agent, and of its subagents, with their models on the cassette.

        Args:
            agent: The agent.
            tools: Its own tools as well; otherwise they are code under test, and run.
        """
        return self._agent(agent, tools, {})

    def _agent(self, agent: Agent, tools: bool, made: dict[int, Agent]) -> Agent:
        if id(agent) not in made:
            mine = made[id(agent)] = copy.copy(agent)
            mine.model = self.model(agent.model) if agent.model is not None else None
            if tools:
                mine.toolbox = self.environment(agent.toolbox, name=f"tools of {agent.name}")
            mine.subagents = tuple(self._agent(each, tools, made) for each in agent.subagents)
        return made[id(agent)]

    @property
    def offline(self) -> bool:
        """Whether nothing but the file may answer."""
        return self.mode == "replay"

    @property
    def unused(self) -> list[str]:
        """What is recorded and was not asked for, in words."""
        return [_named(call) for call in self._calls.left()]

    def save(self) -> None:
        """Write the calls of this run; nothing is written in a replay, and live.

        Raises:
            CassetteError: The file cannot be written.
        """
        if self.mode not in ("record", "new"):
            return
        for api in self._apis:
            api.wait()
        calls = [call for call in self._made if call.answer is not None]
        if calls or self._environments or self.path.exists():
            content = Content(calls, self._environments)
            write_cassette(self.path, content, test=self._test)

    def know(self, secrets: Iterable[str]) -> None:
        """Take these values, too, out of all that comes from now on."""
        assert self._hider is not None
        self._hider.add(secret for secret in secrets if len(secret) >= SHORTEST_SECRET)

    def redacted(self, members: Members) -> Members:
        """The members without values.

        Raises:
            CassetteError: The redactor failed: then nothing is kept.
        """
        assert self._hider is not None
        try:
            return cast("Members", self._hider.json(members))
        except Exception as error:
            raise CassetteError(
                f"the redactor of `{self.path}` failed with {type(error).__name__}: nothing is "
                "recorded that it has not seen"
            ) from None

    def check_content(self, content: bytes) -> None:
        """Make sure that content which is no text, and so is not redacted, holds no value.

        Raises:
            CassetteError: It does.
        """
        try:
            content.decode()
        except UnicodeDecodeError:
            text = content.decode("latin-1")
            if self.redacted({"content": text}) != {"content": text}:
                raise CassetteError(
                    f"content of {len(content):,} bytes that are no text holds what must not be "
                    f"recorded in `{self.path}`: leave this environment out of the cassette"
                ) from None

    def place(self, tape: str | None, *, frame: int, node: str | None, ordinal: int) -> Place:
        """Which call of the test it is."""
        session = self._sessions.setdefault(tape or "", len(self._sessions) + 1)
        return Place(session, frame, node, ordinal)

    def recorded(self, asked: Members, place: Place | None, *, tape: str | None) -> Members | None:
        """The recorded answer; None if there is none and it may be asked for.

        Raises:
            RecordingMissError: There is none, and nobody may be asked.
        """
        call = self._calls.take(asked, place, tape)
        if call is not None:
            self._made.append(Call(call.asked, place, call.answer))
            return call.answer
        if not self.offline:
            return None
        self.misses.append(self._miss(asked))
        raise self.misses[-1]

    def begin(self, asked: Members, place: Place | None) -> Call:
        """A call that is made now; it is kept if it gets its answer."""
        self._made.append(Call(asked, place))
        return self._made[-1]

    def offers(self, environment: str, tools: list[Json]) -> None:
        """Keep which tools an environment offers."""
        self._environments[environment] = cast("list[Json]", self.redacted({"": tools})[""])

    def tools_of(self, environment: str) -> list[Json]:
        """The recorded tools of an environment."""
        return self._content.environments.get(environment, [])

    def answers(self, environment: str, kind: str) -> bool:
        """Whether an environment is recorded to have answered a kind of action."""
        return any(
            call.asked.get("environment") == environment
            and cast("Mapping[str, Json]", call.asked["action"])["kind"] == kind
            for call in self._content.calls
        )

    def _miss(self, asked: Members) -> RecordingMissError:
        what = _named(Call(asked, None))
        if not self._there:
            return RecordingMissError(
                f"{what}: there is no cassette `{self.path}` yet. Record it with "
                "`pytest --playhead=new`"
            )
        nearest = self._calls.nearest(asked)
        if nearest is None:
            said = "nothing of its sort is recorded"
            parted = said
        else:
            number = list(self._calls.calls).index(nearest)
            parted = difference(nearest.asked, asked)
            said = f"The nearest is call {number} ({_named(nearest)}): {parted}"
        return RecordingMissError(
            f"{what} is not on the cassette `{self.path}`. {said}. If that is right, record it "
            "with `pytest --playhead=new`",
            difference=parted,
        )


def _named(call: Call) -> str:
    """A call in a few words."""
    place = call.place
    where = f" by node `{place.node}`" if place is not None and place.node else ""
    messages = call.asked.get("messages")
    if "request" in call.asked:
        count = f" with {len(messages)} messages" if isinstance(messages, list) and messages else ""
        return f"`{call.asked['request']}`{count}"
    if isinstance(messages, list):
        return f"a call of `{call.asked['model']}` with {len(messages)} messages{where}"
    action = call.asked["action"]
    assert isinstance(action, dict)
    name = action.get("name") or action["kind"]
    return f"`{name}` of {call.asked['environment']}"
