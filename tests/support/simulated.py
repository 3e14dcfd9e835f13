"""A `moonbook sim` for tests in Python, and the surroundings in which clients are pointed at it."""
import json
import os
import subprocess
import tempfile
import urllib.request

ACCOUNT, REGION = "123456789012", "eu-west-1"
SECRET = "simulated-secret-access-key"


class Server:
    """One `moonbook sim`, ended with the block it is used in. `scenario` is the text of a scenario file."""

    def __init__(self, moonbook, *flags, scenario):
        self.folder = tempfile.TemporaryDirectory()
        path = os.path.join(self.folder.name, "scenario.lua")
        with open(path, "w", encoding="utf-8") as file:
            file.write(scenario)
        self.command = [moonbook, "sim", "--port", "0", "--output", "ndjson", "--scenario", path, *flags]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            self.process.stdout.close()
            raise RuntimeError(f"the server did not start; it ended with {self.process.wait(timeout=30)}")
        self.endpoint = json.loads(line)["endpoint"]
        return self

    def __exit__(self, kind, *_):
        self.process.terminate()
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        self.folder.cleanup()
        if code != 0 and kind is None:
            raise RuntimeError(f"the server ended with {code}")

    @property
    def host(self):
        """127.0.0.1:PORT, as registries are named."""
        return self.endpoint.removeprefix("http://")

    def control(self, name, /, **args):
        """A command of the control interface; a refused one raises urllib.error.HTTPError."""
        request = urllib.request.Request(f"{self.endpoint}/_moonbook/{name}", json.dumps(args).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


def environment(secret=SECRET, **more):
    """What a client runs in: nothing of the caller's AWS settings, dummy credentials, and `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, "AWS_ACCESS_KEY_ID": "AKIASIMULATED0000000", "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, **more}
