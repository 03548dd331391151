"""What a step says, for people."""

from __future__ import annotations

from playhead.errors import PlayheadError
from playhead.tape._by import By
from playhead.tape._json import Json, compact
from playhead.tape._parts import BlobPart, Part, TextPart, ToolCallPart, result_text
from playhead.tape._step import Step
from playhead.tape.annotations import (
    Comment,
    Evaluation,
    Label,
    Score,
    Target,
    TrialEnd,
    TrialStart,
)
from playhead.tape.kinds import (
    AssistantMessage,
    Broadcast,
    Connection,
    Context,
    Decision,
    DecisionRequest,
    Delegate,
    Effects,
    Erasure,
    Finish,
    HandOff,
    LeftOut,
    McpMessage,
    ModelCall,
    NextNode,
    NodeRun,
    Output,
    OutputError,
    ParseError,
    Pause,
    Plan,
    Reflection,
    Return,
    Reveal,
    Run,
    Snapshot,
    Stop,
    TapeHeader,
    ToolCall,
    ToolError,
    ToolResult,
    UserMessage,
)

_LONG = 4000  # characters of one value


def step_text(step: Step) -> str:
    """What a step says, in words for people: raw text, to be made harmless where it is shown."""
    if step.erased:
        return "(erased)"
    try:
        return _said(step)
    except (PlayheadError, RecursionError) as error:
        return f"(unreadable: {error})"


def said_text(step: Step) -> str:
    """What a step says; of a model call, only what the model said."""
    if step.kind != ModelCall.kind or step.erased:
        return step_text(step)
    try:
        body = step.body
    except PlayheadError:
        return step_text(step)
    if not isinstance(body, ModelCall) or body.message is None or body.status != "complete":
        return step_text(step)
    return _parts(body.message.parts)


def _said(step: Step) -> str:
    match step.body:
        case UserMessage(parts=parts) | AssistantMessage(parts=parts):
            return _parts(parts)
        case ToolCall(name=name, arguments=arguments):
            return call_text(name, arguments)
        case ToolResult(result=result, parts=parts, arguments=arguments):
            text = _parts(parts) if result is None and parts else result_text(result)
            return _changed(arguments) + text
        case ToolError(code=code, message=message, arguments=arguments):
            return f"{_changed(arguments)}{code}: {message}"
        case ParseError(message=message):
            return message
        case OutputError(name=name, message=message):
            return f"{name}: {message}"
        case Output(name=name, value=value):
            return f"{name}: {result_text(value)}"
        case Plan(items=items):
            return " · ".join(items)
        case Reflection(text=text):
            return text
        case NextNode(node=node) | NodeRun(node=node):
            return node
        case Delegate() | Broadcast() | HandOff() | Finish() as body:
            return f"{body.agent}: {_parts(body.parts)}"
        case Return(agent=agent, parts=parts):
            return f"from {agent}: {_parts(parts)}"
        case Stop(reason=reason, result=result):
            return reason if result is None else f"{reason}: {result_text(result)}"
        case ModelCall() as call:
            return _model_call(call)
        case _:
            return _note(step)


def _note(step: Step) -> str:
    match step.body:
        case TapeHeader(parent=parent):
            return "begins" if parent is None else f"forks {parent.tape} at step {parent.at}"
        case Run(mode=mode, agent=agent, config=config):
            return f"{mode} {agent} {config[:19]}"
        case Context(now=now, seed=seed):
            return ", ".join([*now, *(["seed"] if seed else [])])
        case Pause(reason=reason, message=message):
            return f"{reason}: {message}"
        case LeftOut() as left_out:
            return _left_out(left_out)
        case DecisionRequest(why=why, action=action, message=message):
            return f"{why} of {action}" + (f": {message}" if message else "")
        case Decision() as decision:
            return _decision(decision, step.by)
        case Effects(policy=policy, effects=effects):
            return f"{policy}: " + ", ".join(call_text(e.name, e.arguments) for e in effects)
        case Snapshot(state=state):
            return f"{len(compact(state)):,} characters of state"
        case Reveal(to=to, name=name, tokens=tokens):
            return f"{' '.join(tokens)} to {to} {name}"
        case Erasure(seqs=seqs, reason=reason):
            return f"steps {', '.join(map(str, seqs))}: {reason}"
        case Connection(event=event, message=message):
            return f"{event}: {message}" if message else event
        case McpMessage() as message:
            return _mcp(message)
        case _:
            return _annotation(step)


def _annotation(step: Step) -> str:
    match step.body:
        case Evaluation(suite=suite, candidates=candidates, tasks=tasks, trials=trials):
            names = ", ".join(each.name for each in candidates)
            return f"{suite}: {tasks} tasks × {trials} with {names}"
        case TrialStart(candidate=candidate, task=task, number=number):
            return f"{candidate} · {task} · {number}"
        case TrialEnd(status=status, error=error, target=target, seconds=seconds):
            return f"{status} {error or ''} after {seconds:.1f} s{_of(target)}"
        case Score(error=str(error), name=name, target=target):
            return f"{name} failed: {error}{_of(target)}"
        case Score(name=name, value=value, passed=passed, comment=comment, target=target):
            decided = {True: " passed", False: " failed", None: ""}[passed]
            return f"{name} {value:.3g}{decided}{_because(comment)}{_of(target)}"
        case Label(name=name, value=value, comment=comment, target=target):
            return (
                f"{name}: {value} by {step.by.name or step.by.type}{_because(comment)}{_of(target)}"
            )
        case Comment(text=text, target=target):
            return f"{text}{_of(target)}"
        case _:
            return (step.data or b"").decode("utf-8", "replace")


def _mcp(body: McpMessage) -> str:
    """Who said what: a method and its parameters, or an answer."""
    if body.fault is not None:
        return f"{body.sender}: {body.fault} {_parts(body.parts)}".rstrip()
    said = body.message if isinstance(body.message, dict) else {}
    method = said.get("method")
    rest = said.get("params", said.get("result", said.get("error", body.message)))
    return f"{body.sender}: {f'{method} ' if method else ''}{_value(rest)}"


def _of(target: Target | None) -> str:
    if target is None:
        return ""
    return f" · {target.tape}" + ("" if target.at is None else f" step {target.at}")


def _because(comment: str | None) -> str:
    return f" ({comment})" if comment else ""


def _decision(body: Decision, by: By) -> str:
    said = [body.decision, f"by {by.name or by.type}"]
    if body.arguments is not None:
        said.append(_value(body.arguments))
    if body.result is not None:
        said.append(result_text(body.result))
    return " ".join([*said, *([f"({body.message})"] if body.message else [])])


def _changed(arguments: Json) -> str:
    """Says that a person changed the arguments of the call that is answered."""
    return "" if arguments is None else f"(with {call_text('', arguments)[1:-1]} instead) "


def _model_call(call: ModelCall) -> str:
    facts = [call.model]
    if call.usage:
        facts.append(f"{call.usage.input_tokens:,}→{call.usage.output_tokens:,} tokens")
    if call.price:
        facts.append(f"${call.price.usd:.4f}")
    if call.seconds:
        facts.append(f"{call.seconds:.1f} s")
    if call.status != "complete":
        facts.append(f"{call.status}: {call.error or ''}")
    return f"{', '.join(facts)} · {_parts(call.message.parts) if call.message else ''}"


def _parts(parts: tuple[Part, ...]) -> str:
    return " ".join(filter(None, map(_part, parts)))


def _part(part: Part) -> str:
    match part:
        case TextPart(content=content):
            return content
        case BlobPart(media_type=media_type, size=size, preview=preview):
            return f"[{media_type}, {size:,} bytes] {preview}"
        case ToolCallPart(name=name, arguments=arguments):
            return f"→ {call_text(name, arguments)}"
        case _:
            return f"[{part.type}]"


def call_text(name: str, arguments: Json) -> str:
    """A tool call as a line of code."""
    if isinstance(arguments, dict):
        inside = ", ".join(f"{key}={_value(value)}" for key, value in arguments.items())
    else:
        inside = "" if arguments is None else _value(arguments)
    return f"{name}({inside})"


def _value(value: Json) -> str:
    if isinstance(value, str) and len(value) > _LONG:
        value = value[:_LONG] + "…"
    return compact(value)


def _left_out(note: LeftOut) -> str:
    dropped = ", ".join(f"{start}:{stop}" for start, stop in note.dropped)
    shortened = ", ".join(map(str, note.shortened))
    what = [
        f"{word} {where}"
        for word, where in (("dropped", dropped), ("shortened", shortened))
        if where
    ]
    return f"{'; '.join(what)} to fit {note.budget} tokens (about {note.tokens} sent)"
