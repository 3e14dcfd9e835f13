"""skopeo and crane on the simulated registry: what they push is what they pull, and what ECR refuses is refused."""
import hashlib
import json
import pathlib
import random
import subprocess
import tempfile

from images import Layout
from simulated import environment

SCENARIO = 'service { app = "shop", env = "dev", desired = 1, image = "shop:v1" }'
BIG = 24 << 20  # bytes that do not compress: more than one part of the layer API, more than one read of a socket


class Registry:
    """One server's registry, with a folder to work in, and the tools that there are."""

    def __init__(self, report, server, cli, folder, tools):
        self.report, self.server, self.cli, self.folder, self.tools = report, server, cli, folder, tools
        code, password = cli("ecr", "get-login-password")
        self.password = password.strip().strip('"') if code == 0 else ""
        report.check("aws ecr get-login-password", code == 0 and self.password, password)

    def run(self, *command, text=None):
        """Exit code and text of a command; registry logins are kept in the folder."""
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=300,
                              env=environment(DOCKER_CONFIG=str(self.folder / "docker")))
        return done.returncode, (done.stdout + done.stderr).strip()

    def at(self, name):
        return f"{self.server.host}/{name}"

    def repository(self, name, *flags):
        code, text = self.cli("ecr", "create-repository", "--repository-name", name, *flags)
        self.report.check(f"aws ecr create-repository {name}", code == 0, text)

    def digest(self, repository, tag):
        """What the API says that a tag means."""
        code, text = self.cli("ecr", "describe-images", "--repository-name", repository, "--image-ids", f"imageTag={tag}")
        return json.loads(text)["imageDetails"][0]["imageDigest"] if code == 0 else text


class Crane:
    """How crane pushes, pulls and so on: each gives exit code and text."""
    name = "crane"

    def __init__(self, registry):
        self.run, self.program = registry.run, registry.tools["crane"]
        (registry.folder / "docker").mkdir(exist_ok=True)
        code, text = self.run(self.program, "auth", "login", registry.server.host, "-u", "AWS", "--password-stdin",
                              text=registry.password)
        registry.report.check("crane logs in", code == 0, text)

    def do(self, *words):
        return self.run(self.program, *words, "--insecure")

    def push(self, layout, tag, to):
        return self.do("push", str(layout), to)

    def pull(self, of, to):
        return self.do("pull", "--format", "oci", of, str(to))

    def copy(self, of, to):
        return self.do("copy", of, to)

    def tags(self, repository):
        return self.do("ls", repository)

    def digest(self, of):
        code, text = self.do("digest", of)
        # It says on the way when it had to try again.
        return code, next((line for line in text.splitlines() if line.startswith("sha256:")), text)


class Skopeo:
    """The same of skopeo."""
    name = "skopeo"

    def __init__(self, registry):
        self.run, self.program, self.login = registry.run, registry.tools["skopeo"], f"AWS:{registry.password}"

    def take(self, of, to, *flags):
        ends = [side for side, place in (("src", of), ("dest", to)) if place.startswith("docker:")]
        access = [flag for side in ends for flag in (f"--{side}-tls-verify=false", f"--{side}-creds={self.login}")]
        return self.run(self.program, "--insecure-policy", "copy", *flags, *access, of, to)

    def push(self, layout, tag, to):
        return self.take(f"oci:{layout}:{tag}", f"docker://{to}", "--all")

    def pull(self, of, to):
        return self.take(f"docker://{of}", f"oci:{to}:pulled", "--all")

    def copy(self, of, to):
        return self.take(f"docker://{of}", f"docker://{to}", "--all")

    def look(self, *words):
        return self.run(self.program, words[0], "--tls-verify=false", f"--creds={self.login}", *words[1:])

    def tags(self, repository):
        code, text = self.look("list-tags", f"docker://{repository}")
        return code, "\n".join(json.loads(text)["Tags"]) if code == 0 else text

    def digest(self, of):
        code, text = self.look("inspect", "--raw", f"docker://{of}")
        return code, f"sha256:{hashlib.sha256(text.encode()).hexdigest()}" if code == 0 else text


def _entry(folder):
    """The digest of the one image that a pulled layout holds."""
    entries = json.loads((folder / "index.json").read_text())["manifests"]
    return entries[0]["digest"] if len(entries) == 1 else f"{len(entries)} images"


def _round_trip(registry, tool, kind, layout, digest):
    """Push, list, ask, copy and pull one image or index; it keeps its digest all the way."""
    check, name = registry.report.check, f"{tool.name}: {kind}"
    source, other = f"{tool.name}-source", f"{tool.name}-other"
    code, text = tool.push(layout.folder, "v1", registry.at(f"{source}:{kind}"))
    if not check(f"{name}: is pushed", code == 0, text):
        return
    seen = registry.digest(source, kind)
    check(f"{name}: the API gives the digest that was pushed", seen == digest, seen)
    code, text = tool.digest(registry.at(f"{source}:{kind}"))
    check(f"{name}: the registry gives it", code == 0 and text == digest, text)
    code, text = tool.tags(registry.at(source))
    check(f"{name}: its tag is listed", code == 0 and kind in text.splitlines(), text)
    code, text = tool.copy(registry.at(f"{source}:{kind}"), registry.at(f"{other}:{kind}"))
    seen = registry.digest(other, kind)
    check(f"{name}: a copy in another repository is the same", code == 0 and seen == digest, f"{text} {seen}")
    pulled = registry.folder / f"{tool.name}-{kind}"
    code, text = tool.pull(registry.at(f"{other}:{kind}"), pulled)
    if check(f"{name}: is pulled", code == 0, text):
        check(f"{name}: what is pulled has the digest", _entry(pulled) == digest, _entry(pulled))
        there = {file.name for file in (pulled / "blobs" / "sha256").iterdir()}
        wanted = {file.name for file in layout.blobs.iterdir()}
        check(f"{name}: every blob is pulled", wanted <= there, wanted - there)


def _refusals(registry, tool, layout, digest):
    check, name, fixed = registry.report.check, tool.name, f"{tool.name}-fixed"
    registry.repository(fixed, "--image-tag-mutability", "IMMUTABLE")
    code, text = tool.push(layout.folder, "v1", registry.at(f"{fixed}:once"))
    check(f"{name}: a first push to an immutable tag", code == 0, text)
    other = Layout(registry.folder / f"{name}-second")
    other.name(other.image(b"another"), "v1")
    code, text = tool.push(other.folder, "v1", registry.at(f"{fixed}:once"))
    wanted = f"The image tag 'once' already exists in the '{fixed}' repository and cannot be overwritten because the " \
             "tag is immutable."
    check(f"{name}: another image under an immutable tag is refused in ECR's words", code != 0 and wanted in text, text)
    seen = registry.digest(fixed, "once")
    check(f"{name}: the immutable tag means what it did", seen == digest, seen)
    if tool.name == "skopeo":  # crane asks first, and sends nothing
        code, text = tool.push(layout.folder, "v1", registry.at(f"{fixed}:once"))
        check(f"{name}: so is the same image, as ECR does", code != 0 and wanted in text, text)
    code, text = tool.push(layout.folder, "v1", registry.at(f"{name}-nowhere:v1"))
    check(f"{name}: an unknown repository is refused by name", code != 0 and
          f"The repository with name '{name}-nowhere' does not exist" in text, text)
    code, text = tool.digest(registry.at(f"{name}-source:nothing"))
    check(f"{name}: an unknown tag is not found", code != 0, text)


def _wrong_digest(registry, crane):
    """crane sends a layer as it lies there; skopeo compares it before it sends anything."""
    check = registry.report.check
    bad = Layout(registry.folder / "changed")
    bad.name(bad.image(b"as it was said to be"), "v1")
    layer = max(bad.blobs.iterdir(), key=lambda file: b"\x1f\x8b" == file.read_bytes()[:2])
    layer.write_bytes(bytes(reversed(layer.read_bytes())))
    code, text = crane.push(bad.folder, "v1", registry.at("crane-source:changed"))
    check("crane: a layer that is not what its digest says is refused", code != 0 and "DIGEST_INVALID" in text, text)
    seen = registry.digest("crane-source", "changed")
    check("crane: nothing is left under its tag", "ImageNotFound" in seen, seen)


def _other_logins(registry, tool):
    """Who has no password is not let in."""
    password, registry.password = registry.password, "d3Jvbmc="
    code, text = type(tool)(registry).tags(registry.at(f"{tool.name}-source"))
    registry.password = password
    registry.report.check(f"{tool.name}: a wrong password is refused", code != 0 and
                          ("401" in text or "nauthorized" in text or "uthentication" in text), text)


def run(report, server, cli, tools):
    """Runs them. `tools`: paths of "crane" and "skopeo", as far as there are."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        registry = Registry(report, server, cli, folder, tools)
        image, big, many = (Layout(folder / name) for name in ("image", "big", "many"))
        digests = {
            "single": image.name(image.image(b"hello"), "v1"),
            "large": big.name(big.image(random.Random(1).randbytes(BIG)), "v1"),
            "platforms": many.name(many.index(many.image(b"x"), many.image(b"y", "arm64")), "v1"),
        }
        for kind in (kind for kind in (Skopeo, Crane) if kind.name in tools):
            registry.repository(f"{kind.name}-source")
            registry.repository(f"{kind.name}-other")
            tool = kind(registry)
            for label, layout in (("single", image), ("large", big), ("platforms", many)):
                _round_trip(registry, tool, label, layout, digests[label])
            _refusals(registry, tool, image, digests["single"])
            if kind is Crane:
                _wrong_digest(registry, tool)
                code, text = tool.copy(registry.at("shop:v1"), registry.at("crane-other:shop"))
                report.check("crane: an image that the scenario made is copied", code == 0, text)
            _other_logins(registry, tool)
