"""The judge: recorded verdicts, and the rules one by one on our own office."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from playhead.office import (
    JsonValue,
    OfficeCall,
    OfficeData,
    as_replayed,
    calls_of,
    judge,
    read_tasks,
    same_tables,
    sample_office,
)

DATA = sample_office()
CREATE_EVENT = OfficeCall(
    "calendar.create_event",
    {
        "event_name": "Standup",
        "participant_email": "priya.menon@northwind.example",
        "event_start": "2024-05-20 09:00:00",
        "duration": "30",
    },
)
DELETE_EVENT = OfficeCall("calendar.delete_event", {"event_id": "00000011"})
SEND = OfficeCall("email.send_email", {"recipient": "a@b.example", "subject": "Hi", "body": "Text"})
DELETE_MAIL = OfficeCall("email.delete_email", {"email_id": "00000014"})
CREATE_TASK = OfficeCall(
    "project_management.create_task",
    {
        "task_name": "Sweep",
        "assigned_to_email": "bruno.keller@northwind.example",
        "list_name": "Backlog",
        "due_date": "2024-06-01",
        "board": "Design",
    },
)
DELETE_TASK = OfficeCall("project_management.delete_task", {"task_id": "00000001"})
CUSTOMER: dict[str, JsonValue] = {
    "customer_name": "Nils Ode",
    "assigned_to_email": "paolo.ricci@northwind.example",
    "status": "Lead",
}
ADD_CUSTOMER = OfficeCall("customer_relationship_manager.add_customer", CUSTOMER)
DELETE_CUSTOMER = OfficeCall(
    "customer_relationship_manager.delete_customer", {"customer_id": "00000000"}
)


def equal(made: list[OfficeCall], expected: list[OfficeCall]) -> bool:
    return judge(DATA, made, expected=expected).solved


def plot(metric: str) -> OfficeCall:
    args: dict[str, JsonValue] = {"time_min": "a", "time_max": "b", "value_to_plot": metric}
    return OfficeCall("analytics.create_plot", {**args, "plot_type": "bar"})


def customer(**more: JsonValue) -> OfficeCall:
    return ADD_CUSTOMER._replace(args={**CUSTOMER, **more})


def status(value: str) -> OfficeCall:
    return customer(status=value)


def mail(body: str) -> OfficeCall:
    return SEND._replace(args={**SEND.args, "body": body})


def test_recorded_runs_get_their_recorded_verdict(workbench_dir: Path):
    data = OfficeData.load(workbench_dir)
    tasks = {task.task_id: task for task in read_tasks(workbench_dir / "tasks.jsonl")}
    runs = list(map(json.loads, (workbench_dir / "runs.jsonl").read_bytes().splitlines()))
    wrong = []
    for run in runs:
        # Where the list of calls was not recorded, the steps hold them.
        calls = calls_of(run["steps"] if run["write_calls"] is None else run["write_calls"])
        verdict = judge(
            data, calls, expected=tasks[run["task_id"]].expected_calls, error=run["error"]
        )
        if verdict.solved != run["solved"]:
            wrong.append((run["task_id"], run["model"], verdict))
    assert wrong == []
    assert len(runs) == 1550
    assert sum(run["solved"] for run in runs) == 398


def test_order_of_creations_matters():
    first, second = plot("total_visits"), plot("user_engaged")
    assert equal([first, second], [first, second])
    assert not equal([second, first], [first, second])
    other = CREATE_EVENT._replace(args={**CREATE_EVENT.args, "event_name": "Other"})
    assert not equal([CREATE_EVENT, other], [other, CREATE_EVENT])


def test_order_of_deletions_does_not_matter():
    other = OfficeCall("calendar.delete_event", {"event_id": "00000012"})
    assert equal([other, DELETE_EVENT], [DELETE_EVENT, other])


@pytest.mark.parametrize(
    ("create", "delete", "free"),
    [
        (CREATE_EVENT, DELETE_EVENT, True),
        (SEND, DELETE_MAIL, False),
        (CREATE_TASK, DELETE_TASK, False),
        (ADD_CUSTOMER, DELETE_CUSTOMER, False),
    ],
    ids=["event", "mail", "task", "customer"],
)
def test_creation_and_deletion_mixed(create: OfficeCall, delete: OfficeCall, free: bool):
    assert equal([create, delete], [delete, create]) is free


@pytest.mark.parametrize(
    ("table", "create", "delete"),
    [
        ("project_tasks", CREATE_TASK, DELETE_TASK),
        ("customer_relationship_manager_data", ADD_CUSTOMER, DELETE_CUSTOMER),
    ],
)
def test_a_created_task_or_customer_renumbers_the_table(
    table: str, create: OfficeCall, delete: OfficeCall
):
    office = DATA.fresh()
    office.call(*delete)
    assert office.tables[table].labels != list(range(len(office.tables[table])))
    office.call(*create)
    assert office.tables[table].labels == list(range(len(office.tables[table])))


def test_a_mail_after_a_deletion_overwrites_the_newest_mail():
    office = DATA.fresh()
    newest = office.tables["emails"].record(len(office.tables["emails"]) - 1)["email_id"]
    for call in (DELETE_MAIL, SEND):
        office.call(*call)
    assert office.tables["emails"].find("email_id", newest) == []
    assert len(office.tables["emails"]) == len(DATA.mails) - 1


def test_left_out_and_empty_differ_except_for_notes():
    assert not equal([customer(customer_phone="")], [customer()])
    assert equal([customer(notes="")], [customer()])


def test_case_matters_only_in_status_list_and_board():
    assert equal([customer(customer_name="NILS ODE")], [customer()])
    assert not equal([status("lead")], [status("Lead")])


def test_time_of_a_new_mail_counts_as_null():
    office, other = DATA.fresh(), replace(DATA, now=DATA.now.replace(day=17)).fresh()
    office.call(*SEND)
    other.call(*SEND)
    assert same_tables(office, other)


def test_an_added_calendar_column_breaks_equality():
    added = OfficeCall(
        "calendar.update_event", {"event_id": "00000011", "field": "Duration", "new_value": "60"}
    )
    assert not equal([added], [])
    assert judge(DATA, [added], expected=[]).side_effect


@pytest.mark.parametrize(
    "call",
    [
        OfficeCall("calendar.delete_event", {"event_id": "99999999"}),
        OfficeCall("calendar.delete_event", {"event_id": "00000011", "reason": "none"}),
        OfficeCall("calendar.drop_event", {"event_id": "00000011"}),
        OfficeCall("email.search_emails", {"query": "budget", "date_min": "yesterday"}),
        mail('Say "hi"'),
        mail("Ends with \\"),
    ],
    ids=["unknown id", "unknown argument", "unknown tool", "failing read", "quote", "backslash"],
)
def test_calls_without_effect_do_no_harm(call: OfficeCall):
    verdict = judge(DATA, [call, DELETE_EVENT], expected=[DELETE_EVENT])
    assert verdict.solved
    assert not verdict.side_effect


def test_create_then_delete_leaves_no_trace():
    created = OfficeCall("calendar.delete_event", {"event_id": "00000030"})
    verdict = judge(DATA, [CREATE_EVENT, created], expected=[])
    assert verdict.solved
    assert not verdict.side_effect


def test_arguments_are_read_back_as_text():
    call = OfficeCall("t", {"a": 30, "b": None, "c": ["x", 1], "d": "one\\ntwo\nthree"})
    assert as_replayed(call) == OfficeCall(
        "t", {"a": "30", "b": "None", "c": "['x', 1]", "d": "one\ntwo\nthree"}
    )
    assert as_replayed(OfficeCall("t", {"a": 'a "b" c'})) is None


def test_a_number_equals_its_text_but_not_another_text():
    def lasting(duration: JsonValue) -> OfficeCall:
        return CREATE_EVENT._replace(args={**CREATE_EVENT.args, "duration": duration})

    assert equal([lasting(30)], [lasting("30")])
    assert not equal([lasting("030")], [lasting("30")])


def test_an_error_leaves_the_run_unsolved_but_is_no_side_effect():
    verdict = judge(DATA, [DELETE_EVENT], expected=[DELETE_EVENT], error="out of steps")
    assert not verdict.solved
    assert not verdict.side_effect
    assert judge(DATA, [DELETE_EVENT], expected=[DELETE_EVENT], error="").solved


def test_a_side_effect_is_a_change_that_was_not_expected():
    assert judge(DATA, [DELETE_EVENT], expected=[]).side_effect
    assert not judge(DATA, [], expected=[DELETE_EVENT]).side_effect
    cased = OfficeCall(
        "calendar.update_event",
        {"event_id": "00000011", "field": "event_name", "new_value": "SUPPLIER CALL"},
    )
    assert judge(DATA, [cased], expected=[]).solved
    assert not judge(DATA, [cased], expected=[]).side_effect


def test_exact_match_compares_the_texts_of_the_writing_calls():
    read = OfficeCall("email.search_emails", {"query": "x"})
    shouted = CREATE_EVENT._replace(args={**CREATE_EVENT.args, "event_name": "STANDUP"})
    verdict = judge(DATA, [read, DELETE_TASK, shouted], expected=[CREATE_EVENT, DELETE_TASK])
    assert verdict.exact_match
    twice = judge(DATA, [DELETE_TASK, DELETE_TASK], expected=[DELETE_TASK])
    assert twice.solved
    assert not twice.exact_match
