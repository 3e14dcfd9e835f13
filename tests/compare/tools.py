"""The tools that are compared: how each is asked for a deployment, a restart or a rollback, and how it says that it
does not know."""
import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def action_of(ending):
    """"deploy", "restart" or "rollback"."""
    return {"deploy/quick": "deploy", "deploy/restart": "restart", "rollback/ecs": "rollback"}[ending["run"]["runbook"]]


class Tool:
    name = version = path = ""
    looks_first = False  # whether it can be told to look for trouble before it begins
    # Words by which a tool that ends with a failure says that it does not know how the deployment ends.
    unknown_words = ()

    def command(self, ending):
        """The command line for an ending, or None when the tool has no such command."""
        raise NotImplementedError

    def is_missing(self, _code, _output):
        return False

    def does_not_know(self, _code, output):
        return any(word in output for word in self.unknown_words)

    def last_words(self, output):
        lines = [line.strip() for line in COLOUR.sub("", output).splitlines() if line.strip(" .")]
        return lines[-1] if lines else ""


class Guide(Tool):
    """The guide's shell commands, with the AWS CLI and its own wait."""
    name = "guide"
    title = "the guide's commands"
    unknown_words = ("Max attempts exceeded", "error occurred (AccessDenied", "error occurred (ExpiredToken")

    def __init__(self, options):
        self.path = f"{options.aws}/bin"
        self.version = "AWS CLI " + installed(options.aws, "awscli")

    def command(self, ending):
        args, action = ending["run"]["args"], action_of(ending)
        more = {"deploy": ["aistudio", args.get("image")], "rollback": [args[name] for name in ("to",) if name in args]}
        return [str(HERE / "guide.sh"), action, args["cluster"], args["service"], *more.get(action, [])]


class EcsDeploy(Tool):
    """fabfuel/ecs-deploy, with its defaults: it waits for 300 seconds."""
    name = "ecs-deploy"
    title = "ecs-deploy"
    flags = ()
    unknown_words = ("due to timeout", "error occurred (AccessDenied", "error occurred (ExpiredToken")

    def __init__(self, options):
        self.path = f"{options.ecs_deploy}/bin"
        self.version = "ecs-deploy " + installed(options.ecs_deploy, "ecs-deploy")

    def command(self, ending):
        args, action = ending["run"]["args"], action_of(ending)
        if action == "rollback":
            return None
        image = ["-i", "aistudio", args["image"]] if action == "deploy" else []
        return ["ecs", "deploy", args["cluster"], args["service"], *image, *self.flags]


class EcsDeployRollback(EcsDeploy):
    """The same, told to roll back when it times out."""
    name = "ecs-deploy --rollback"
    title = "ecs-deploy --rollback"
    flags = ("--rollback",)


class Moonbook(Tool):
    name = "moonbook"
    title = "moonbook"
    looks_first = True
    not_known = (4, 5, 31, 40, 75)  # docs/exit-codes.md: credentials, denied, paused, timed_out, unavailable

    def __init__(self, options):
        self.path = str(pathlib.Path(options.moonbook).parent)
        self.version = subprocess.run([options.moonbook, "--version"], capture_output=True, text=True).stdout.strip()

    def command(self, ending):
        command = ["moonbook", "run", ending["run"]["runbook"], "--yes", "--no-input", "--color", "never"]
        for name, value in sorted(ending["run"]["args"].items()):
            text = f"{value}s" if name == "wait" else str(value).lower() if isinstance(value, bool) else str(value)
            command.append(f"--{name.replace('_', '-')}={text}")
        return command

    def last_words(self, output):
        lines = [line for line in output.splitlines() if re.match("[a-z_]+: ", line)]
        return lines[-1].strip() if lines else ""

    def is_missing(self, code, output):
        return code == 2 and "there is no runbook" in output

    def does_not_know(self, code, _output):
        return code in self.not_known


class MoonbookEarly(Moonbook):
    """The same, told to give up early what cannot come right."""
    name = "moonbook --abort-early"
    title = "moonbook --abort-early"

    def command(self, ending):
        return [*super().command(ending), "--abort-early=true"]


def installed(folder, package):
    """The version of a package in a virtual environment."""
    text = subprocess.run([f"{folder}/bin/python", "-c",
                           f"import importlib.metadata as m; print(m.version({package!r}))"],
                          capture_output=True, text=True, check=True).stdout
    return text.strip()


def all_tools(options):
    return [Guide(options), EcsDeploy(options), EcsDeployRollback(options), Moonbook(options)]


def of_failures(options):
    """Those that are driven through the endings of failing.py besides."""
    return [MoonbookEarly(options)]
