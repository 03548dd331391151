"""The office as a whole: its tools, live arguments, errors, and saving and restoring."""

from __future__ import annotations

import inspect
import json

import pytest

from playhead import office as door
from playhead.office import (
    JsonValue,
    Office,
    OfficeData,
    live_args,
    observation_text,
    same_tables,
    sample_office,
)

DATA = sample_office()
TOOLS = DATA.fresh().tools


@pytest.fixture
def office() -> Office:
    return DATA.fresh()


def test_the_door_lists_what_it_shows():
    shown = {name for name in vars(door) if not name.startswith("_")}
    modules = {name for name in shown if inspect.ismodule(getattr(door, name))}
    assert set(door.__all__) == shown - modules
    assert all(not hasattr(module, "__path__") for module in map(vars(door).get, modules))


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_every_tool_describes_itself_and_its_arguments(tool: door.OfficeTool):
    text = inspect.getdoc(tool.method) or ""
    summary, _, arguments = text.partition("Args:")
    assert summary.strip()
    described = [
        line.strip().split(":")[0]
        for line in arguments.splitlines()
        if line.startswith("    ") and not line.startswith("     ")
    ]
    assert described == list(inspect.signature(tool.method).parameters)


def test_tools_stand_in_the_order_of_the_full_tool_set(office: Office):
    domains = list(dict.fromkeys(tool.name.partition(".")[0] for tool in office.tools))
    assert domains == [
        "email",
        "calendar",
        "analytics",
        "project_management",
        "customer_relationship_manager",
        "company_directory",
    ]
    assert len(office.tools) == 27
    assert sum(tool.effect != "read" for tool in office.tools) == 14


def test_domains_keep_that_order_and_do_not_know_crm(office: Office):
    names = [tool.name for tool in office.tools_for(["crm", "calendar", "email"])]
    assert {name.partition(".")[0] for name in names} == {"email", "calendar", "company_directory"}
    assert names[0] == "email.send_email"
    assert names[-1] == "company_directory.find_email_address"
    assert len(office.tools_for(["customer_relationship_manager"])) == 5


def test_live_arguments_are_read_leniently(office: Office):
    method = office.tool("email.search_emails").method
    assert live_args(method, {"query": "a", "limit": 3}) == {"query": "a"}
    assert live_args(method, "budget") == {"query": "budget"}
    with pytest.raises(TypeError):
        live_args(method, ["budget"])


def test_strict_calls_refuse_unknown_names(office: Office):
    with pytest.raises(TypeError):
        office.call("email.search_emails", {"query": "a", "limit": 3})
    with pytest.raises(LookupError, match=r"email\.search_emails"):
        office.call("email.find_emails", {})


def test_observations_are_written_as_python_writes_them():
    assert observation_text("No events found.") == "No events found."
    assert observation_text({"notes": None, "ok": True}) == "{'notes': None, 'ok': True}"


def test_searches_show_at_most_five_and_the_newest_mails_first(office: Office):
    mails = office.call("email.search_emails", {})
    assert [mail["sent_datetime"] for mail in mails] == sorted(
        (DATA.mails.cell(at, "sent_datetime") for at in range(len(DATA.mails))), reverse=True
    )[:5]
    events = office.call("calendar.search_events", {})
    assert events == DATA.events.records(range(5))


def test_a_search_over_old_and_new_mails_fails(office: Office):
    mail: dict[str, JsonValue] = {"subject": "Budget", "body": "Done.", "recipient": "x@y.example"}
    office.call("email.send_email", mail)
    with pytest.raises(TypeError):
        office.call("email.search_emails", {"query": "budget"})
    [found] = office.call("email.search_emails", {"query": "y.example"})
    assert found["sent_datetime"] == "2024-05-16 00:00:00"


def test_a_null_stops_a_customer_search(office: Office):
    args: dict[str, JsonValue] = {"customer_name": "N", "assigned_to_email": "O", "status": "Lead"}
    office.call("customer_relationship_manager.add_customer", args)
    with pytest.raises(ValueError, match="customer_email"):
        office.call("customer_relationship_manager.search_customers", {"customer_email": "a"})


def test_average_over_all_days_turns_durations_into_numbers(office: Office):
    visitor = {"visitor_id": DATA.visits.cell(0, "visitor_id")}
    tool = "analytics.get_visitor_information_by_id"

    def durations() -> set[type]:
        return {type(visit["session_duration_seconds"]) for visit in office.call(tool, visitor)}

    office.call("analytics.get_average_session_duration", {"time_min": "2024-05-02"})
    assert durations() == {str}
    office.call("analytics.get_average_session_duration", {})
    assert durations() == {float}
    assert isinstance(DATA.fresh().call(tool, visitor)[0]["session_duration_seconds"], str)


def test_offices_do_not_share_changes(office: Office):
    office.call("calendar.delete_event", {"event_id": "00000011"})
    office.call(
        "calendar.update_event", {"event_id": "00000012", "field": "place", "new_value": "hall"}
    )
    assert same_tables(DATA.fresh(), sample_office().fresh())
    assert not same_tables(office, DATA.fresh())


def test_state_survives_json_and_restores_everything(office: Office):
    office.call("email.delete_email", {"email_id": "00000014"})
    office.call("email.send_email", {"recipient": "x@y.example", "subject": "S", "body": "B"})
    office.call(
        "calendar.update_event", {"event_id": "00000012", "field": "place", "new_value": "hall"}
    )
    office.call("analytics.get_average_session_duration", {})
    saved = json.loads(json.dumps(office.state()))
    other = DATA.fresh()
    other.restore(saved)
    assert other.state() == office.state()
    for name, table in office.tables.items():
        assert other.tables[name].rows == table.rows
    office.call("calendar.delete_event", {"event_id": "00000011"})
    assert other.state() == saved
    with pytest.raises(ValueError, match=r"Office\.state"):
        office.restore({"tables": {}, "durations_as_numbers": False})


def test_a_folder_with_other_columns_is_refused(tmp_path):
    (tmp_path / "analytics_data.csv").write_text("day,visits\n2024-05-01,3\n")
    with pytest.raises(ValueError, match=r"analytics_data\.csv"):
        OfficeData.load(tmp_path)
