"""Rule models behind an endpoint like OpenAI's, so that agents reach them as any model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from examples.forms.rules._judge import RuleJudgeModel
from examples.forms.rules._model import RuleModel
from examples.forms.rules._student import RuleStudentModel
from examples.forms.rules._teacher import RuleTeacherModel
from examples.forms.rules._user import RuleUserModel
from playhead.errors import JsonError, ModelError
from playhead.llm import ModelRequest, Prompt
from playhead.record import OPENAI_CHAT
from playhead.record.serving import Receive, Scope, Send, body_of, respond, serving
from playhead.record.wire import Reply
from playhead.tape import Json, compact, loads_strict, new_id

_LARGEST = 4 * 1024 * 1024  # bytes of a request
_STREAM = [(b"content-type", b"text/event-stream; charset=utf-8")]


class RuleServer:
    """An ASGI application: Chat Completions, answered by rule models and by nothing else.

    It is for the way that agents take to a real model: the SDK, its requests and answers, the
    configuration. A model of a language it is not, and says so by the names of its models:
    `rule-teacher`, `rule-student`, `rule-user` and `rule-judge`.

    Example:
        async with RuleServer().serve() as url:
            ...  # OPENAI_BASE_URL=url, OPENAI_API_KEY=none, model `openai:rule-student`
    """

    def __init__(self) -> None:
        models = (RuleTeacherModel(), RuleStudentModel(), RuleUserModel(), RuleJudgeModel())
        self.models: dict[str, RuleModel] = {model.name: model for model in models}
        self.answered: dict[str, int] = dict.fromkeys(self.models, 0)

    @asynccontextmanager
    async def serve(self, *, port: int = 0) -> AsyncIterator[str]:
        """Serve on this machine while the context is open; gives the base URL.

        Raises:
            RecordError: The port cannot be listened on.
            MissingExtraError: The extra `serve` is not installed.
        """
        async with serving(self, host="127.0.0.1", port=port, install='"playhead[serve]"') as url:
            yield f"{url}/v1"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI says."""
        content = await body_of(receive, most=_LARGEST)
        if scope["method"] != "POST" or not scope["path"].endswith(OPENAI_CHAT.path):
            await _refuse(send, 404, f"there is no {scope['method']} {scope['path']} here")
            return
        try:
            request = loads_strict(content or b"")
            if not isinstance(request, dict):
                raise ValueError("a request is a JSON object")
            reply = await self._reply(request)
        except (JsonError, ValueError, ModelError) as error:
            await _refuse(send, 400, str(error))
            return
        body = OPENAI_CHAT.response(reply)
        if request.get("stream") is True:
            stream = OPENAI_CHAT.stream(body, asked=request)
            await respond(send, 200, stream, headers=list(_STREAM))
        else:
            await respond(send, 200, compact(body).encode())

    async def _reply(self, request: dict[str, Json]) -> Reply:
        asked = OPENAI_CHAT.asked(request)
        model = self.models.get(asked.model)
        if model is None:
            raise ValueError(
                f"`{asked.model}` is no rule model: there are {', '.join(self.models)}"
            )
        done = await model.complete(ModelRequest(Prompt.of(asked.messages)))
        self.answered[model.name] += 1
        return Reply(model.name, done.message, done.finish_reason, done.usage, id=new_id())


async def _refuse(send: Send, status: int, message: str) -> None:
    body = OPENAI_CHAT.error(message, code="invalid_request", more={})
    await respond(send, status, compact(body).encode())
