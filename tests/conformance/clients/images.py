"""Container images as OCI layouts in a folder, made of given bytes: the same bytes give the same digests."""
import gzip
import hashlib
import io
import json
import tarfile

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


class Layout:
    """An OCI layout in `folder` (a pathlib.Path)."""

    def __init__(self, folder):
        self.folder, self.blobs = folder, folder / "blobs" / "sha256"
        self.blobs.mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def blob(self, data, media_type, **more):
        """Keeps bytes; gives their descriptor."""
        digest = hashlib.sha256(data).hexdigest()
        (self.blobs / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data), **more}

    def document(self, value, media_type, **more):
        return self.blob(json.dumps(value).encode(), media_type, **more)

    def image(self, content, architecture="amd64"):
        """An image of one layer that holds a file of `content`; gives its descriptor."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            entry = tarfile.TarInfo("app/content")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        plain = archive.getvalue()
        layer = self.blob(gzip.compress(plain, 1, mtime=0), "application/vnd.oci.image.layer.v1.tar+gzip")
        config = self.document({
            "architecture": architecture, "os": "linux", "config": {"Cmd": ["/app/content"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(plain).hexdigest()}"]},
        }, "application/vnd.oci.image.config.v1+json")
        return self.document({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}, MANIFEST,
                             platform={"os": "linux", "architecture": architecture})

    def index(self, *images):
        """An index of images; gives its descriptor."""
        return self.document({"schemaVersion": 2, "mediaType": INDEX, "manifests": list(images)}, INDEX)

    def name(self, descriptor, tag):
        """Makes a descriptor the one entry of the layout; gives its digest."""
        entry = {**descriptor, "annotations": {"org.opencontainers.image.ref.name": tag}}
        (self.folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "mediaType": INDEX,
                                                            "manifests": [entry]}))
        return descriptor["digest"]
