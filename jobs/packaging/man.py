#!/usr/bin/env python3
"""Writes the man pages: sluice(1) from what the program says about itself, sluice-job(5) from the job file schema.

    man.py PROGRAM DIRECTORY

Nothing in the pages is written by hand but what neither of the two knows: environment, files, see also.
"""

import datetime
import json
import os
import re
import subprocess
import sys
import textwrap

HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(HERE))

ENVIRONMENT = [
    ("AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN", "Credentials. Profiles, roles, web identity, SSO, "
     "credential_process, container and instance metadata work as with the AWS tools."),
    ("AWS_PROFILE, AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE", "Which profile is read, and from where."),
    ("AWS_REGION, AWS_DEFAULT_REGION", "The region of a job file that names none."),
    ("AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_KINESIS, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL_STS",
     "Other endpoints than those of AWS."),
    ("AWS_CA_BUNDLE, HTTPS_PROXY, NO_PROXY", "How the network is reached."),
    ("AWS_MAX_ATTEMPTS, AWS_RETRY_MODE", "How often a call is tried."),
    ("AWS_ACCOUNT_ID", "The account of a policy; see policy."),
    ("other variables", "Whatever a job file names with `${NAME}` or `${NAME:-default}`."),
]
FILES = [
    ("/etc/sluice/NAME.yaml", "Job files, where the systemd units look for them."),
    ("/etc/sluice/NAME.credentials, /etc/sluice/NAME.aws-config, /etc/sluice/NAME.env",
     "Credentials, AWS configuration and variables of a unit; all may be missing."),
    ("/var/lib/sluice/NAME", "State of a job: checkpoints or positions, spool and lock."),
    ("~/.aws/credentials, ~/.aws/config", "Where the AWS tools keep theirs."),
]


def escape(text):
    """Text that roff leaves as it is. `words` in backquotes become bold."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("~", "\\(ti").replace("^", "\\(ha")
    text = re.sub(r"`([^`]+)`", r"\\fB\1\\fR", text)
    return "\n".join("\\&" + line if line.startswith(".") else line for line in text.split("\n"))


def paragraph(text):
    """Sentences on lines of their own, as roff wants them."""
    lines = []
    for line in textwrap.wrap(" ".join(text.split()), 100, break_long_words=False, break_on_hyphens=False):
        lines.append(escape(line))
    return "\n".join(lines)


class Page:
    def __init__(self, name, section, date, version):
        self.lines = ['.TH %s %s %s "sluice %s" Sluice' % (name.upper(), section, date, version)]

    def section(self, title):
        self.lines.append('.SH "%s"' % title if " " in title else ".SH " + title)

    def subsection(self, title):
        self.lines.append('.SS "%s"' % escape(title))

    def paragraphs(self, text):
        for number, part in enumerate(p for p in text.split("\n\n") if p.strip()):
            if number or not self.lines[-1].startswith((".SH", ".SS")):
                self.lines.append(".PP")
            self.lines.append(paragraph(part))

    def term(self, term, text):
        self.lines += [".TP", "\\fB%s\\fR" % term, paragraph(text)]

    def example(self, text):
        before = [] if self.lines[-1].startswith(".SH") else [".PP"]
        self.lines += before + [".nf", ".RS", escape(text), ".RE", ".fi"]

    def text(self):
        return "\n".join(self.lines) + "\n"


def split_help(discussion):
    """(description, [(status, meaning)], [example]) of a command's help text."""
    statuses, examples, rest = [], [], []
    for part in (discussion or "").split("\n\n"):
        if part.startswith("Exit codes: "):
            for item in re.split(r", (?=\d)", part[len("Exit codes: "):].rstrip(".")):
                status, _, meaning = item.partition(" ")
                statuses.append((status, meaning))
        elif part.startswith("Example: "):
            examples.append(part[len("Example: "):])
        else:
            rest.append(part)
    return "\n\n".join(rest), statuses, examples


def option_term(argument):
    names = [("-" if n["kind"] == "short" else "--") + n["name"] for n in argument["names"]]
    value = " \\fI%s\\fR\\fB" % escape(argument["valueName"]) if argument["kind"] == "option" else ""
    return ", ".join(escape(name) + value for name in names)


def option_text(argument):
    text = argument.get("abstract", "")
    if argument.get("discussion"):
        text += " " + argument["discussion"]
    values, default = argument.get("allValues") or [], argument.get("defaultValue")
    if values:
        text += " One of " + ", ".join(values) + "."
    if default is not None and "default" not in text.lower():
        text += " Default: %s." % default
    return text


def arguments_of(command):
    return [a for a in command.get("arguments", [])
            if a.get("shouldDisplay", True) and not {n["name"] for n in a.get("names", [])} & {"help", "version"}]


def synopsis(path, command):
    words = ["\\fB%s\\fR" % escape(" ".join(path))]
    for argument in arguments_of(command):
        if argument["kind"] == "positional":
            word = "\\fI%s\\fR" % escape(argument["valueName"].upper())
            word += "\\&..." if argument["isRepeating"] else ""
            words.append("[%s]" % word if argument["isOptional"] else word)
    return " ".join(words + ["[\\fIoptions\\fR]"])


def leaves(command, path):
    """Every command that does something, in the order of the help."""
    subcommands = [c for c in command.get("subcommands", []) if c["commandName"] != "help"]
    for subcommand in subcommands:
        if subcommand["commandName"] == command.get("defaultSubcommand"):
            # Run without its own name: it stands under its parent's, with the parent's words.
            yield path, dict(command, arguments=subcommand.get("arguments", []))
        else:
            yield from leaves(subcommand, path + [subcommand["commandName"]])
    if not subcommands:
        yield path, command


def common_options(commands):
    """Options that every command has are told once."""
    def keys(command):
        return {json.dumps(a, sort_keys=True) for a in arguments_of(command) if a["kind"] != "positional"}
    shared = set.intersection(*(keys(command) for _, command in commands))
    return [a for a in arguments_of(commands[0][1]) if json.dumps(a, sort_keys=True) in shared], shared


def program_page(help_, date, version):
    top = help_["command"]
    description, statuses, examples = split_help(top.get("discussion"))
    commands = list(leaves(top, ["sluice"]))
    common, shared = common_options(commands)
    page = Page("sluice", "1", date, version)
    page.section("NAME")
    page.lines.append("sluice \\- " + escape(top["abstract"][0].lower() + top["abstract"][1:].rstrip(".")))
    page.section("SYNOPSIS")
    for number, (path, command) in enumerate(commands):
        page.lines += ([".br"] if number else []) + [synopsis(path, command)]
    page.section("DESCRIPTION")
    page.paragraphs(description)
    page.section("COMMANDS")
    for path, command in commands:
        page.subsection(" ".join(path))
        text, own_statuses, own_examples = split_help(command.get("discussion"))
        page.paragraphs(command["abstract"] + "\n\n" + text)
        for argument in arguments_of(command):
            if json.dumps(argument, sort_keys=True) in shared:
                continue
            if argument["kind"] == "positional":
                page.term("\\fI%s\\fB" % escape(argument["valueName"].upper()), option_text(argument))
            else:
                page.term(option_term(argument), option_text(argument))
        if own_statuses:
            page.paragraphs("\n\nExit status: " + ", ".join("%s %s" % pair for pair in own_statuses) + ".")
        for example in own_examples:
            page.example(example)
    page.section("COMMON OPTIONS")
    page.lines.append("Every command takes these.")
    for argument in common:
        page.term(option_term(argument), option_text(argument))
    page.term("\\-h, \\-\\-help", "Tells what a command does and which options it has.")
    page.section("EXIT STATUS")
    page.lines.append("What the statuses mean for all commands; 75 and 79 need nobody.")
    for status, meaning in statuses:
        page.term(escape(status), meaning)
    page.section("ENVIRONMENT")
    for names, text in ENVIRONMENT:
        page.term(escape(names), text)
    page.section("FILES")
    for names, text in FILES:
        page.term(escape(names), text)
    page.section("EXAMPLES")
    for example in examples:
        page.example(example)
    page.section("SEE ALSO")
    page.lines += [".BR sluice\\-job (5),", ".BR systemd.timer (5),", ".BR crontab (5)"]
    return page.text()


# The job file.

def resolve(schema, node):
    while "$ref" in node:
        target = schema
        for part in node["$ref"].lstrip("#/").split("/"):
            target = target[part]
        node = dict(target, **{k: v for k, v in node.items() if k != "$ref"})
    return node


def alternatives(schema, node):
    """The plain schemas that a value may fit, without variables and references."""
    node = resolve(schema, node)
    if "anyOf" not in node:
        return [node]
    found = []
    for option in node["anyOf"]:
        if option.get("$ref") != "#/$defs/variable":
            found += alternatives(schema, option)
    return found


def words_of_value(schema, node):
    """The words that a value may be."""
    words = []
    for option in alternatives(schema, node):
        if "enum" in option or "const" in option:
            words += [str(w) for w in option.get("enum", [option.get("const")])]
        elif option.get("type") == "boolean":
            words += ["true", "false"]
    return words


def kinds_of_value(schema, node):
    """What else it may be, as phrases."""
    kinds = []
    for option in alternatives(schema, node):
        if option.get("type") == "integer" and "minimum" in option:
            kinds.append("a whole number from %s to %s" % (grouped(option["minimum"]), grouped(option["maximum"])))
        elif option.get("type") in ("array", "object"):
            kinds.append("a list" if option["type"] == "array" else "a group of names and values")
    for reference, phrase in (("size", "a size, such as 64MiB"), ("duration", "a duration, such as 1h30m")):
        if any(option.get("$ref") == "#/$defs/" + reference for option in [node] + node.get("anyOf", [])):
            kinds.append(phrase)
    return kinds


def grouped(number):
    return "{:,}".format(number)


def sentence(text):
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")


def key_text(schema, node, said, required):
    """What is said of a key: in words, then which values, then the default."""
    words, kinds = words_of_value(schema, node), kinds_of_value(schema, node)
    about = node.get("description") or said or resolve(schema, node).get("description")
    parts = []
    if about and not (words and set(re.findall(r"[^\s,.]+", about)) <= set(words) | {"or"}):
        parts.append(about if words and about.split()[0].strip(",") in words else sentence(about))
    if words and not all(re.search(r"\b%s\b" % re.escape(word), about or "") for word in words):
        kinds.insert(0, "one of " + ", ".join(words))
    elif words and not parts:
        kinds.insert(0, about)
    if kinds:
        parts.append(sentence("; or ".join(kinds)))
    default = resolve(schema, node).get("default", node.get("default"))
    if default is not None:
        parts.append("Default: %s." % json.dumps(default).strip('"'))
    if required:
        parts.append("Required.")
    return " ".join(parts) or "Text."


def remarks(path):
    """Dotted key to the remark behind it in an example job file."""
    found, parents = {}, []
    with open(path) as file:
        for line in file:
            match = re.match(r"( *)(# )?([a-z_]+):(.*)", line)
            if not match:
                continue
            indent, name = len(match.group(1)), match.group(3)
            parents = [(i, n) for i, n in parents if i < indent]
            key = ".".join([n for _, n in parents] + [name])
            if not match.group(2):
                parents.append((indent, name))
            remark = re.search(r"\s# (.*)", re.sub(r'"[^"]*"', '""', match.group(4)))
            if remark:
                found[key] = remark.group(1).strip()
    return found


def keys(schema, node, path=""):
    for name, child in node.get("properties", {}).items():
        key = path + "." + name if path else name
        yield key, child, name in node.get("required", [])
        yield from keys(schema, resolve(schema, child), key)


def job_page(schema, date, version):
    page = Page("sluice-job", "5", date, version)
    page.section("NAME")
    page.lines.append("sluice\\-job \\- job files of sluice")
    page.section("DESCRIPTION")
    page.paragraphs(
        "A job file is YAML and describes one job. Unknown keys are errors that name the nearest known key. Values may "
        "hold `${NAME}` and `${NAME:-default}`, taken from the environment; credentials never stand in a job file. "
        "`sluice check` finds what is wrong with one, `sluice init` writes one.\n\n"
        "Sizes have a unit (B, kB, KiB, MB, MiB, GB, GiB), durations too (d, h, m, s, ms). Keys are written here with "
        "dots: `source.stream` is the key `stream` in the group `source`.")
    for kind, file in (("archive", "drupal-archive.yaml"), ("ship", "drupal-ship.yaml")):
        page.section("%s JOBS" % kind.upper())
        page.lines.append(escape("What `sluice %s` reads." % kind))
        said = remarks(os.path.join(REPOSITORY, "jobs", file))
        for key, node, required in keys(schema, schema["$defs"][kind]):
            if resolve(schema, node).get("properties"):
                text = sentence(node.get("description") or said.get(key) or "a group of keys")
            else:
                text = key_text(schema, node, said.get(key), required)
            page.term(escape(key), text)
        page.section("EXAMPLE OF %s JOB" % ("AN ARCHIVE" if kind == "archive" else "A SHIP"))
        with open(os.path.join(REPOSITORY, "jobs", file)) as example:
            text = example.read().rstrip("\n")
        page.lines += [".nf", escape(text.replace("`", "\\(ga")).replace("\\e(ga", "\\(ga").replace("\n\n", "\n.sp\n"),
                       ".fi"]
    page.section("SEE ALSO")
    page.lines.append(".BR sluice (1)")
    return page.text()


def main(program, directory, date):
    def ask(*arguments):
        return subprocess.run([program, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout
    version = ask("--version").split()[-1]
    with open(os.path.join(REPOSITORY, "schemas", "job.schema.json")) as file:
        schema = json.load(file)
    os.makedirs(directory, exist_ok=True)
    for name, text in (("sluice.1", program_page(json.loads(ask("--experimental-dump-help")), date, version)),
                       ("sluice-job.5", job_page(schema, date, version))):
        with open(os.path.join(directory, name), "w") as file:
            file.write(text)


if __name__ == "__main__":
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    today = datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc) if seconds \
        else datetime.datetime.now(datetime.timezone.utc)
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(os.path.abspath(sys.argv[1]), sys.argv[2], today.strftime("%Y-%m-%d"))
