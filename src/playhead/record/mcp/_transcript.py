"""From messages that go by to steps: what was said, word by word, and what it means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from playhead.environment.mcp import Choice, exact
from playhead.errors import JsonError
from playhead.orchestrator import BlobFitter
from playhead.record._hider import Hider
from playhead.record.mcp._capture import Capture
from playhead.record.mcp._content import put_back, taken_out
from playhead.record.mcp._results import result_body
from playhead.record.mcp._split import TooLong
from playhead.store import Blob
from playhead.tape import (
    SYSTEM,
    BlobPart,
    Body,
    By,
    Draft,
    Json,
    blob_address,
    canonical,
    compact,
    digest_of,
    loads_strict,
    text_part,
)
from playhead.tape.kinds import Connection, McpMessage, ToolCall, ToolError, UserMessage

Sender: TypeAlias = Literal["client", "server"]
CALL = "tools/call"
_LONGEST_TEXT = 4000  # characters of what is no message
_LONGEST_NAME = 200  # characters of a name in a header
_PREVIEW = 1000  # characters of a large text
_CLIENT_INFO = "io.modelcontextprotocol/clientInfo"
_SERVER_INFO = "io.modelcontextprotocol/serverInfo"
_CHOICE = Choice.of("", None, None, trust_hints=False)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that waits for its answer; `note` is the step that holds it."""

    method: str
    params: dict[str, Json]
    note: str
    call: str | None = None
    tool: str = ""
    token: str | None = None  # that its progress comes under


class Transcript:
    """The steps of one connection, message by message. Nothing here waits for anything.

    Args:
        capture: How it is recorded.
        hider: Takes values out.
        server: What may be told of the server.
        blob_key: Of the tape.
    """

    def __init__(
        self, capture: Capture, hider: Hider, server: dict[str, Json], *, blob_key: str
    ) -> None:
        self._capture, self._hider, self._key = capture, hider, blob_key
        self._fitter = BlobFitter(blob_key)
        self._server = server
        self._asked: dict[tuple[Sender, str], _Asked] = {}
        self._tokens: dict[str, str] = {}  # by progress token, the request that it was given with
        self._client: dict[str, Json] = {"name": "client"}
        self._about: dict[str, Json] = {"server": None, "protocol": None}
        self._tools: list[dict[str, Json]] = []
        self._hints: dict[str, Json] = {}
        self._blobs: dict[str, Blob] = {}
        self.documents: dict[str, bytes] = {}

    def take_blobs(self) -> dict[str, Blob]:
        """Blobs of the drafts that were made since the last time."""
        taken, self._blobs = {**self._blobs, **self._fitter.take()}, {}
        return taken

    def begin(self) -> list[Draft]:
        """What stands first on the tape."""
        drafts = [_captured(Connection(event="begun", environment={"server": dict(self._server)}))]
        if self._capture.task is not None:
            said = UserMessage(parts=(text_part(self._hider.text(self._capture.task)),))
            drafts.append(_captured(self._fitter.fit(said), By("person", self._capture.by)))
        return drafts

    def end(self, message: str) -> Draft:
        """What stands last on it."""
        return _captured(Connection(event="ended", message=message))

    def fault(self, sender: Sender, fault: str, text: bytes = b"") -> Draft:
        """Something that is no message, and what came instead of one."""
        said = text.decode("utf-8", "backslashreplace")
        try:
            said = self._hider.text(said)
        except Exception as error:
            said = f"⟦dropped: the redactor failed with {type(error).__name__}⟧"
        if len(said) > _LONGEST_TEXT:
            said = f"{said[:_LONGEST_TEXT]}…"
        parts = (text_part(said),) if said.strip() else ()
        return _captured(McpMessage(sender=sender, fault=fault, parts=parts))

    def message(self, sender: Sender, raw: bytes | TooLong) -> Iterator[Draft]:
        """A message as it went by, or several in one."""
        if isinstance(raw, TooLong):
            yield self.fault(sender, f"a message of {raw.size:,} bytes, more than is looked into")
            return
        try:
            value = loads_strict(raw)
        except JsonError as error:
            yield self.fault(sender, f"no message: {self._safe(str(error))}", raw)
            return
        for item in value if isinstance(value, list) and value else [value]:
            if isinstance(item, dict):
                yield from self._one(sender, item)
            else:
                yield self.fault(sender, "no message: it is not an object", compact(item).encode())

    def _safe(self, text: str) -> str:
        try:
            return self._hider.text(text)
        except Exception:
            return "it cannot be read"

    def _one(self, sender: Sender, value: dict[str, Json]) -> Iterator[Draft]:
        about = self._is_about(sender, value)
        try:
            note, restored = self._kept(sender, value)
        except Exception as error:  # of a rule: nothing of the message is kept
            fault = f"dropped: the redactor failed with {type(error).__name__}"
            note, restored = McpMessage(sender=sender, fault=fault), {}
        draft = _captured(note, re=(about.note,) if about else ())
        yield draft
        if "method" in value:
            if "id" in value:
                yield from self._request(sender, value, restored, draft.id)
        elif about is not None and sender == "server":
            yield from self._answer(about, restored)

    def _kept(self, sender: Sender, value: dict[str, Json]) -> tuple[McpMessage, dict[str, Json]]:
        """The note of a message, and the message without values but with all of its content."""
        rest, contents = taken_out(value, self._hider.text)
        message = self._hider.json(rest)
        parts = tuple(self._blob(each.content, each.media_type) for each in contents)
        note = McpMessage(
            sender=sender,
            message=message,
            at=tuple(each.at for each in contents),
            base64=tuple(each.at for each in contents if each.base64),
            parts=parts,
        )
        restored = put_back(message, {c.at: (c.content, c.base64) for c in contents})
        assert isinstance(restored, dict)
        return note, restored

    def _blob(self, content: bytes, media_type: str) -> BlobPart:
        address = blob_address(self._key, content)
        self._blobs[address] = Blob(content, media_type)
        preview = ""
        if media_type.startswith("text/"):
            preview = content[: _PREVIEW * 4].decode("utf-8", "ignore")[:_PREVIEW]
        return BlobPart(media_type=media_type, size=len(content), address=address, preview=preview)

    def _is_about(self, sender: Sender, value: dict[str, Json]) -> _Asked | None:
        """The request that a message answers, reports on or cancels."""
        params = value.get("params")
        given = params if isinstance(params, dict) else {}
        match value.get("method"):
            case None:
                other: Sender = "client" if sender == "server" else "server"
                asked = self._asked.pop((other, _key(value.get("id"))), None)
                if asked is not None and asked.token is not None:
                    self._tokens.pop(asked.token, None)
                return asked
            case "notifications/cancelled":
                return self._asked.get((sender, _key(given.get("requestId"))))
            case "notifications/progress":
                note = self._tokens.get(_key(given.get("progressToken")))
                return _Asked("", {}, note) if note is not None else None
        return None

    def _request(
        self, sender: Sender, value: dict[str, Json], kept: dict[str, Json], note: str
    ) -> Iterator[Draft]:
        method, given = str(value["method"]), _object(value.get("params"))
        params = _object(kept.get("params"))
        meta = _object(given.get("_meta"))
        token = _key(meta["progressToken"]) if "progressToken" in meta else None
        if token is not None:
            self._tokens[token] = note
        call: Draft | None = None
        if sender == "client":
            self._meet(method, params)
            if method == CALL and kept:
                call = self._call(params, note)
                yield call
        self._asked[sender, _key(value["id"])] = _Asked(
            method,
            params,
            note,
            call.id if call is not None else None,
            str(params.get("name", "")),
            token,
        )

    def _meet(self, method: str, params: dict[str, Json]) -> None:
        """Learn who the client is."""
        told = _object(params.get("_meta")).get(_CLIENT_INFO)
        info = params.get("clientInfo") if method == "initialize" else told
        if isinstance(info, dict) and isinstance(info.get("name"), str) and info["name"]:
            self._client = info

    def _call(self, params: dict[str, Json], note: str) -> Draft:
        name = str(params.get("name", ""))
        body = ToolCall(
            name=name,
            arguments=params.get("arguments", {}),
            effect=self._capture.effect(name, self._hints.get(name)),
        )
        return _captured(body, self._user(), re=(note,))

    def _user(self) -> By:
        """Who calls tools: the person, or the client's program."""
        if self._capture.by is not None:
            return By("person", self._capture.by)
        name = str(self._client["name"])[:_LONGEST_NAME]
        config = self._document({"mcp_client": exact(dict(self._client))})
        return By("agent", name, node="client", config=config)

    def _document(self, value: Json) -> str:
        content = canonical(value)
        name = digest_of(content)
        self.documents[name] = content
        return name

    def _answer(self, asked: _Asked, kept: dict[str, Json]) -> Iterator[Draft]:
        result = kept.get("result")
        if asked.method in ("initialize", "server/discover") and isinstance(result, dict):
            self._learn(result)
        elif asked.method == "tools/list" and isinstance(result, dict):
            yield from self._listed(asked, result)
        elif asked.method == CALL and asked.call is not None and kept:
            yield self._outcome(asked, kept)

    def _learn(self, result: dict[str, Json]) -> None:
        """Learn who the server is."""
        info = result.get("serverInfo") or _object(result.get("_meta")).get(_SERVER_INFO)
        if isinstance(info, dict):
            self._about["server"] = {"name": info.get("name"), "version": info.get("version")}
        versions = result.get("supportedVersions")
        known = versions[-1] if isinstance(versions, list) and versions else None
        self._about["protocol"] = result.get("protocolVersion") or known

    def _listed(self, asked: _Asked, result: dict[str, Json]) -> Iterator[Draft]:
        """After the last page of a list of tools, the list: a document."""
        if asked.params.get("cursor") is None:
            self._tools.clear()
        page = result.get("tools")
        for tool in page if isinstance(page, list) else ():
            if isinstance(tool, dict) and isinstance(tool.get("name"), str):
                self._tools.append(tool)
        if result.get("nextCursor") is not None:
            return
        try:
            listing = exact({**self._about, "tools": list(self._tools)})
            document = self._document(listing)
            schemas: dict[str, Json] = {
                str(tool["name"]): _CHOICE.definition(tool).digest for tool in self._tools
            }
        except (JsonError, ValueError) as error:  # it stands in the message before, as it came
            yield self.fault("server", f"a list of tools without a canonical form: {error}")
            return
        self._hints = {str(tool["name"]): tool.get("annotations") or {} for tool in self._tools}
        around: dict[str, Json] = {"server": {**self._server, "is": self._about["server"]}}
        environment = {**around, "tools": document, "schemas": schemas}
        yield _captured(Connection(event="listed", environment=environment))

    def _outcome(self, asked: _Asked, kept: dict[str, Json]) -> Draft:
        assert asked.call is not None
        name, call = asked.tool, asked.call
        if "error" in kept:
            error = _object(kept["error"])
            said = str(error.get("message") or "the server gave no reason")
            body: Body = ToolError(call_id=call, name=name, code="raised", message=said)
        else:
            body = result_body(kept.get("result"), name=name, call=call, keep=self._blob)
        by = By("tool", name[:_LONGEST_NAME])
        return _captured(self._fitter.fit(body), by, re=(call,))


def _captured(body: Body, by: By = SYSTEM, *, re: tuple[str, ...] = ()) -> Draft:
    return Draft(body, by=by, re=re, origin="captured")


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _key(value: Json) -> str:
    """An id as text: `1` is another one than `"1"`."""
    return compact(value)
