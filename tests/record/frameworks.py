"""Agents as people write them with frameworks that know nothing of Playhead.

Each has one tool, is asked `QUESTIONS` in one conversation, and gives its answers. Frameworks are
imported late: each takes a second or so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import openai

KEY = "sk-test-0123456789abcdef0123456789"
QUESTIONS = ("Where does it rain?", "And in Trois-Rivières?")
INSTRUCTIONS = "Use the tool."
Framework = Callable[..., Awaitable[list[str]]]


def weather(city: str) -> str:
    """Tell the weather."""
    return f"rain in {city}"


def _client(url: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0)


async def langgraph_agent(url: str, *, api: str, stream: bool) -> list[str]:
    """A graph of two nodes, whose state LangGraph keeps."""
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.graph import START, MessagesState, StateGraph
    from langgraph.prebuilt import ToolNode, tools_condition

    tools = [tool(weather)]
    client = httpx.AsyncClient()
    model = ChatOpenAI(
        model="gpt-5-mini",
        base_url=f"{url}/v1",
        api_key=KEY,  # type: ignore[arg-type]
        max_retries=0,
        streaming=stream,
        use_responses_api=api == "responses",
        http_async_client=client,
    ).bind_tools(tools)

    async def think(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke([("system", INSTRUCTIONS), *state["messages"]])]}

    graph = StateGraph(MessagesState)
    graph.add_node("think", think)
    graph.add_node("tools", ToolNode(tools))
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", tools_condition)
    graph.add_edge("tools", "think")
    app = graph.compile(checkpointer=InMemorySaver())
    thread: Any = {"configurable": {"thread_id": "1"}}
    answers: list[str] = []
    async with client:
        for question in QUESTIONS:
            given: Any = {"messages": [("user", question)]}
            if stream:
                async for _ in app.astream(given, thread, stream_mode="messages"):
                    pass
                done = (await app.aget_state(thread)).values
            else:
                done = await app.ainvoke(given, thread)
            answers.append(done["messages"][-1].text)
    return answers


async def agents_sdk_agent(url: str, *, api: str, stream: bool, chained: bool = False) -> list[str]:
    """An agent of OpenAI's SDK; `chained`, the server keeps the conversation."""
    import agents

    agents.set_tracing_disabled(True)
    models: dict[str, Any] = {
        "chat": agents.OpenAIChatCompletionsModel,
        "responses": agents.OpenAIResponsesModel,
    }
    answers: list[str] = []
    given: Any = []
    previous: str | None = None
    async with _client(url) as client:
        agent = agents.Agent(
            "helper",
            instructions=INSTRUCTIONS,
            tools=[agents.function_tool(weather)],
            model=models[api]("gpt-5-mini", client),
        )
        for question in QUESTIONS:
            given = [*given, {"role": "user", "content": question}]
            more: Any = (
                {"previous_response_id": previous, "auto_previous_response_id": True}
                if chained
                else {}
            )
            if stream:
                done: Any = agents.Runner.run_streamed(agent, given, **more)
                async for _ in done.stream_events():
                    pass
            else:
                done = await agents.Runner.run(agent, given, **more)
            given, previous = (
                ([], done.last_response_id) if chained else (done.to_input_list(), None)
            )
            answers.append(done.final_output)
    return answers


async def agents_sdk_handoff(url: str) -> list[str]:
    """Two agents of OpenAI's SDK: the first one hands the conversation to the second."""
    import agents

    agents.set_tracing_disabled(True)
    async with _client(url) as client:
        model = agents.OpenAIResponsesModel("gpt-5-mini", client)
        expert = agents.Agent(
            "expert",
            instructions=INSTRUCTIONS,
            tools=[agents.function_tool(weather)],
            model=model,
        )
        desk = agents.Agent("desk", instructions="Hand over.", handoffs=[expert], model=model)
        done = await agents.Runner.run(desk, QUESTIONS[0])
        return [str(done.final_output)]


async def pydantic_ai_agent(
    url: str, *, api: str, stream: bool, instructions: Callable[[], str] = lambda: INSTRUCTIONS
) -> list[str]:
    """An agent of Pydantic AI, whose instructions may be others at each call."""
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
    from pydantic_ai.providers.openai import OpenAIProvider

    models: dict[str, Any] = {"chat": OpenAIChatModel, "responses": OpenAIResponsesModel}
    answers: list[str] = []
    history: Any = None
    async with _client(url) as client:
        model = models[api]("gpt-5-mini", provider=OpenAIProvider(openai_client=client))
        agent = Agent(model, tools=[weather])
        agent.instructions(instructions)
        for question in QUESTIONS:
            if stream:
                async with agent.run_stream(question, message_history=history) as done:
                    answers.append(await done.get_output())
            else:
                done = await agent.run(question, message_history=history)
                answers.append(done.output)
            history = done.all_messages()
    return answers
