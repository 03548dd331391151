"""What `--help` says beside the options. Lines fit into 78 columns."""

from __future__ import annotations

from playhead.cli._help_library import LIBRARY

PROGRAM = """Sessions of LLM agents on a tape: an append-only log that is all their state.

Kill a session and resume it; replay it without a model; fork it at any step;
verify it. First steps, offline and without a key:

  playhead demo                            everything at work
  playhead run demo "Cancel my next meeting with Priya."
  playhead show last                       what happened
  playhead replay last --agent demo        again, without a model
  playhead new helper                      an agent of your own

Exit codes:

   0  done
   1  a negative finding: diverged, differs, does not verify, ended in error
   2  what was typed cannot be done: a bad option, no such tape, no such agent
   3  the tape waits for a decision, or is paused
   4  the store failed: damaged, full, read-only, newer, tape owned elsewhere
   5  the model failed
  70  a fault of Playhead itself, or of code that it ran; --debug shows where
 130  interrupted (143 by SIGTERM, 141 when nobody reads the output any more)"""

_RUN = """[bold]Examples[/bold]

  playhead run agent.yaml "Is it raining in Montreal?"       playhead new makes one
  playhead run agent.py:agent "Is it raining in Montreal?"
  playhead run shop.agents:clerk "Refund order 17" --approve irreversible
  playhead run agent.py:agent "And tomorrow?" --tape last    goes on talking
  playhead run agent.py:agent "Sum it up" --budget-usd 0.05 --json
  playhead run shop.agents:clerk "Refund order 17" --rules rules.json --wait 600
  playhead run demo "Cancel my next meeting with Priya."     built in, no key

Ctrl-C pauses: the tape can be resumed, nothing on it is asked or done again.
Exit codes: 0 answered, 1 an error, 3 paused or waits, 4 store, 5 model, 130."""

_RESUME = """[bold]Examples[/bold]

  playhead resume last --agent agent.py:agent
  playhead resume last --agent agent.py:agent --decide 12=approve
  playhead resume 4f1b09aa --agent agent.py:agent --decide '12=deny:ask Ana'
  playhead resume last --agent agent.py:agent --decide '12=result:{"ok":true}'

After a crash between an action and its result, read and idempotent tools
run again; others wait until you say redo, skip or result. In a terminal, you
are asked. Exit codes: as for run."""

_FORK = """[bold]Examples[/bold]

  playhead fork last --at 9 --agent changed.py:agent
  playhead fork last --at 9 --agent changed.py:agent --effects reuse
  playhead fork -1 --at 9 --agent a.py:x --effects simulate --simulate a.py:f
  playhead fork last --agent agent.py:agent --task "Now in French"
  playhead diff -2 -1                      what became of it

Exit code 3 and a list, if the parent did something to the world after step N
and you did not say what about it; otherwise as for run."""

_PENDING = """[bold]Examples[/bold]

  playhead pending
  playhead pending last
  playhead pending --json | jq '.pending[].name'

Exit code 0, also if nothing waits."""

_DECIDE = """[bold]Examples[/bold]

  playhead decide last 12 approve
  playhead decide 4f1b09aa 12 deny -m "ask Ana first" --by bo
  playhead decide last 12 edit --arguments '{"to": "ana"}'
  playhead decide last 12 result --result '{"ok": true}'
  playhead decide last 12 approve --resume --agent agent.py:agent

A session that waits (run --wait) goes on at once; otherwise the decision is
kept until the tape is resumed. Exit codes: 0 taken down, 1 it does not fit or
one is there already, 2 no such action waits; with --resume as for run."""

_REPLAY = """[bold]Examples[/bold]

  playhead replay last --agent agent.py:agent
  playhead replay last --agent changed.py:agent --mode observe
  playhead replay 4f1b09aa --agent changed.py:agent --json
  playhead replay --all --agent changed.yaml --since 7d --status answered

Many tapes give a table: as recorded, different (and where first), or skipped
(and why: captured, imported, made by another agent, holding actions of
unknown kinds). Exit codes: 0 as recorded, 1 one diverged or none could be
compared, 2 no tape fits."""

_LS = """[bold]Examples[/bold]

  playhead ls
  playhead ls --limit 100 --json
  playhead ls --before 4f1b09aa            older ones
  playhead ls --annotations                evaluations, labels

Exit code 0, also if there are none."""

_SHOW = """[bold]Examples[/bold]

  playhead show last
  playhead show -2 --steps 10:20 --all
  playhead show last --kind tool_call --kind tool_error
  playhead show last --step 3              a prompt as it was sent
  playhead show last --jsonl > run.tape.jsonl

Text from a tape is shown with control characters made visible."""

_DIFF = """[bold]Examples[/bold]

  playhead diff -2 -1
  playhead diff 4f1b09aa last --side-by-side
  playhead diff -2 -1 --json

Exit codes: 0 they say the same, 1 they differ."""

_VERIFY = """[bold]Examples[/bold]

  playhead verify last
  playhead verify --all
  playhead verify run.tape.jsonl
  playhead verify --head 0194…:12:9f86…    a head that you kept elsewhere

Exit codes: 0 all is in order, 1 at least one fault."""

_DEMO = """[bold]Examples[/bold]

  playhead demo
  playhead demo --keep there && playhead ls --store there/tapes.db
  playhead demo --json

Exit codes: 0 if every claim was checked and held, 1 otherwise."""

_SEARCH = """[bold]Examples[/bold]

  playhead search "refund order 17"
  playhead search '"next meeting" priya -cancelled' --since 7d
  playhead search timeout --kind tool_error
  playhead search "be brief" --all         prompts and other notes, too

The first search makes an index of words, the next ones take in what is new.
Long results that stand in blobs are searched by their preview alone.
Exit codes: 0 found, 1 nothing found."""

_TAIL = """[bold]Examples[/bold]

  playhead tail
  playhead tail last -n 0 --all
  playhead tail 4f1b09aa -f
  playhead tail last --json | jq .kind     a JSON object a line

Ends with the run: when nobody owns the tape any more.
Exit codes: 0 answered, 3 paused or waits, 1 the run ended without a word."""

_STATS = """[bold]Examples[/bold]

  playhead stats
  playhead stats last
  playhead stats --since 7d
  playhead stats --json | jq .by_model

Steps that forks share count once, with the tape that wrote them.
Exit code 0."""

_EXPORT = """[bold]Examples[/bold]

  playhead export last > run.tape.jsonl
  playhead export last -o run.tape.jsonl
  playhead export --all --to backup
  playhead export --all --format tapeagents -o tapes.json
  playhead export last --format otlp -o spans.jsonl
  playhead export last --otlp http://127.0.0.1:4318

A file stands alone: steps shared with parents, documents and blobs are in it.
Other formats: taubench, workbench, tapeagents, tapeagents-yaml, tapeagents-calls,
openai-chat, anthropic-messages, openai-agents, atif, otlp; what of a tape has no
place in one is told. With --otlp, headers are those of OTEL_EXPORTER_OTLP_HEADERS.
Exit codes: 0, 1 not all was taken, or nobody answers, 2 no such tape."""

_IMPORT = """[bold]Examples[/bold]

  playhead import run.tape.jsonl
  playhead import backup --store other.db
  ssh host playhead export last | playhead import -
  playhead import tape.json trajectories.json
  playhead import runs.jsonl --format workbench

Tapes are verified first; ids stay as they are. A tape that is there is gone on with, and
one with other steps under the same id is refused.
Sessions of other formats become tapes: all of a file, or none; the format is
detected, and what has no place on a tape is told and kept beside.
Exit codes: 0 all stored or there already, 1 does not verify or cannot be read,
4 in conflict."""

_RM = """[bold]Examples[/bold]

  playhead rm last
  playhead rm 4f1b09aa 77c0d1e2 --yes

With their blobs, words in the index, and documents that only they name: the
bytes are overwritten. Steps that children share stay as long as these do.
Exit codes: 0, 1 you said no, 4 a session is at work on one."""

_ERASE = """[bold]Examples[/bold]

  playhead erase last --steps 4
  playhead erase 4f1b09aa --steps 4:7 --steps 9 --reason "Ana asked" --yes

Bodies and salts are overwritten, with blobs only they name; headers and chain
stay, and a note says what was erased. Copies elsewhere are not reached.
Exit codes: 0, 1 you said no, 4 a step is shared or a session is at work."""

_DOCTOR = """[bold]Examples[/bold]

  playhead doctor
  playhead doctor --store other.db --json

Reads the whole store. Of keys it says which are set, never what they are.
Exit codes: 0 all is well, 1 something has to be seen to."""

_NEW = """[bold]Examples[/bold]

  playhead new helper
  playhead new clerk --model anthropic:claude-sonnet-4-5
  playhead new monolithic desk                    several prompts, offline
  playhead new team press && cd press
  playhead new llm-function mood
  playhead new form hotel
  python -m pytest                                the agent without a model

An agent file is YAML; docs/agent-files.md says all that it may hold.
Exit codes: 0, 2 a file is there already, or the folder cannot be written."""

_EVAL = """[bold]Examples[/bold]

  playhead eval office                              built in, no key
  playhead eval suite.yaml --agent agent.yaml --trials 5 --html report.html
  playhead eval suite.yaml -a small.yaml -a large.yaml -k 5 --jobs 16
  playhead eval suite.yaml -a agent.yaml --perturb malformed=0.1
  playhead eval suite.yaml --plan --effect 5 --pilot last
  playhead eval suite.yaml -a agent.yaml --baseline base.tape.jsonl \\
      --fail-if 'score drops' --fail-if 'cost rises by 10%'

Each trial is a tape, and so is the evaluation. Ctrl-C or a crash loses nothing:
--resume goes on, and no trial that ended is run again.
Exit codes: 0, 1 a condition of --fail-if holds or a trial could not be scored,
2 the suite or an agent is not there, 4 store, 130."""

_REPORT = """[bold]Examples[/bold]

  playhead report
  playhead report last --html report.html --csv trials.csv
  playhead report 4f1b09aa --json | jq .summary
  playhead report last --baseline 77c0d1e2 --fail-if 'latency rises by 20%'
  playhead export 4f1b09aa -o base.tape.jsonl     a baseline for CI

Exit codes: as for eval."""

_LABEL = """[bold]Examples[/bold]

  playhead label last
  playhead label 4f1b09aa --question helpful=yes,partly,no --only failed
  playhead label 4f1b09aa -q safe=yes,no -q tone=kind,cold --sample 50 --by ana
  playhead label last --step 7 -q right=yes,no --value no -m "wrong city"

Each session is shown, then asked about; type a choice or how it begins. A label
is stored at once, so Ctrl-C loses nothing, and the next time you go on where
you were. Scores of others are not shown. Exit code 0."""

_AGREEMENT = """[bold]Examples[/bold]

  playhead agreement
  playhead agreement --name helpful --level ordinal --order no,partly,yes
  playhead agreement last --name good --name judge --numbers yes=1,no=0
  playhead agreement --json | jq .alpha

Of two judges, Cohen's kappa; of all, Krippendorff's alpha, with intervals. A
score counts as 1 or 0 where it says passed or failed, else by its value.
Exit codes: 0, 1 nothing was judged by two."""

_RECORD_MCP = """[bold]Examples[/bold]

  playhead record mcp -- mcp-server-git -r .
  playhead record mcp --by ana --task "Tidy up" -- mcp-server-git -r .
  playhead record mcp --effects effects.json -- npx some-server
  playhead record mcp --url https://example.org/mcp --port 8400

Write the first form where a client has the server's command, the last one's
address where it has a URL. Traffic goes through unchanged, and goes on if the
recording fails; messages go to stderr. Secrets and personal data are redacted
before anything is stored; headers and variables never are.
Exit codes: as the server's, 4 the recording is not whole."""

_REPLAY_MCP = """[bold]Examples[/bold]

  playhead replay mcp last
  playhead replay mcp 4f1b09aa 77c0d1e2 --port 8400

Answers requests as they were answered then, equal calls in their order. A call
that was not recorded is an error that names the nearest one and the difference.
Exit codes: 0, 1 a tape recorded no MCP server, 2 no such tape."""

_RECORD_LLM = """[bold]Examples[/bold]

  playhead record llm --upstream https://api.openai.com/v1 --port 8400
  playhead record llm --upstream https://api.anthropic.com --port 8401
  OPENAI_BASE_URL=http://127.0.0.1:8400/v1 python my_agent.py
  playhead ls                              a tape for each conversation

Chat Completions, Responses and Messages are recorded, all else passes. Answers
pass as they come, and none waits for its recording. Keys, headers and addresses
are not recorded; bodies are redacted before anything is stored.
Runs until Ctrl-C. Exit codes: 0, 1 it cannot listen there, 4 not all was
recorded."""

_RECORD_OTLP = """[bold]Examples[/bold]

  playhead record otlp                     on port 4318, as exporters expect it
  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 python my_agent.py
  playhead record otlp --settle 60         traces of which parts come late
  playhead ls                              a tape for each conversation

Spans with the GenAI conventions or OpenInference's attributes are recorded;
others are taken and left out. Spans are redacted before anything is stored. A
trace is written when it is quiet, and at the end all that waits.
Runs until Ctrl-C. Exit codes: 0, 1 it cannot listen there, 4 not all was
recorded."""

_REPLAY_LLM = """[bold]Examples[/bold]

  playhead replay llm last --port 8400
  playhead replay llm 4f1b09aa 77c0d1e2 --port 8400
  OPENAI_BASE_URL=http://127.0.0.1:8400/v1 python my_agent.py

A prompt that was recorded word for word is answered as it was then, in the
protocol of the request, streamed or not; equal ones in their order. Any other
one gets status 404, with the nearest recorded call and the difference.
Redact as you recorded. Exit codes: 0, 1 nothing is recorded or it cannot listen
there, 2 no such tape."""

_SERVE_AGENT = """[bold]Examples[/bold]

  playhead serve agent agent.yaml --port 8500
  OPENAI_BASE_URL=http://127.0.0.1:8500/v1 python any_openai_client.py
  playhead serve agent agent.yaml --mcp            over stdin and stdout
  playhead serve agent agent.yaml --mcp --port 8501

Each conversation has a tape: named by the header X-Playhead-Session, or told by
its messages. The same request again finishes an answer that was interrupted.
Elsewhere than on this machine (--host), clients have to send the key that
PLAYHEAD_SERVE_KEY holds. Runs until Ctrl-C. Exit codes: 0, 1 it cannot listen
there, 2 no such agent."""

_LEARN = """[bold]Examples[/bold]

  playhead learn last -2 -3 --name lend -e library.py:environment
  playhead learn --from "agent=clerk status=answered" -o learnt
  playhead learn --from since=7d --failed "label=good:no" --failed 4f1b09aa
  playhead learn --from since=7d --model openai:gpt-5-mini --json

Give sessions that did what was asked. With an environment, reads are made again
in a fresh one, so that more can be told apart; nothing is written in it. What
went wrong (--failed) contradicts programs and checks, and guards what would still do
the same. A model proposes words and routines; kept is what every session bears
out, and what it was asked and what became of it is a tape.
Exit codes: 0 at least one experience, 1 none, 2 no tape fits."""

_CHECK = """[bold]Examples[/bold]

  playhead check lend.yaml                           compiles, lists
  playhead check lend.yaml --over last -2            over these tapes
  playhead check lend.yaml --over                    over all that played it
  playhead check lend.yaml --over --all --json

Checks are asked before each call and at the end of a recorded session, whoever
made it. They run in a process with limits of memory and time.
Exit codes: 0 all hold, 1 one does not, 2 no such file or tape."""

_PLAY = """[bold]Examples[/bold]

  playhead play lend.yaml -p title=Emma -p reader=Ada -e library.py:environment
  playhead play --task "Lend Emma to Ada" -e library.py:environment
  playhead play lend.yaml -p title=Emma --dry-run -e library.py:environment
  playhead play lend.yaml -p title=Emma --level routine --level agent.yaml
  playhead play lend.yaml --tape last --level routine --level person

A play stops before the effect where anything is in doubt, and the next level
goes on with the same tape: nothing is done twice. Ctrl-C and crashes lose
nothing: --tape goes on.
Exit codes: 0 done (or shown), 1 it cannot begin, 2 no such file or agent,
3 handed over to nobody, or waits for a person."""

EXAMPLES = LIBRARY | {
    "serve agent": _SERVE_AGENT,
    "learn": _LEARN,
    "check": _CHECK,
    "play": _PLAY,
    "record llm": _RECORD_LLM,
    "record otlp": _RECORD_OTLP,
    "replay llm": _REPLAY_LLM,
    "record mcp": _RECORD_MCP,
    "replay mcp": _REPLAY_MCP,
    "new": _NEW,
    "run": _RUN,
    "resume": _RESUME,
    "fork": _FORK,
    "pending": _PENDING,
    "decide": _DECIDE,
    "replay": _REPLAY,
    "ls": _LS,
    "show": _SHOW,
    "diff": _DIFF,
    "eval": _EVAL,
    "report": _REPORT,
    "label": _LABEL,
    "agreement": _AGREEMENT,
    "verify": _VERIFY,
    "demo": _DEMO,
    "search": _SEARCH,
    "tail": _TAIL,
    "stats": _STATS,
    "export": _EXPORT,
    "import": _IMPORT,
    "rm": _RM,
    "erase": _ERASE,
    "doctor": _DOCTOR,
}
