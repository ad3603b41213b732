"""The rest of what programs use: every getter, reads, plain invokes, archives, stashes, nested outputs."""

import asyncio

import pulumi
import pulumi_gcp as gcp

config = pulumi.Config()
values = {
    "on": config.require_bool("on"),
    "size": config.require_int("size"),
    "share": config.require_float("share"),
    "shape": config.require_object("shape"),
    "word": config.require("word"),
    "none": [config.get("a"), config.get_int("b"), config.get_bool("c"), config.get_object("d")],
    "default": config.get_int("e", 7),
}
secrets = [
    config.require_secret("word"),
    config.get_secret_int("size"),
    config.require_secret_object("shape"),
]

bucket = gcp.storage.Bucket("site", location="EU", force_destroy=True)
gcp.storage.BucketObject("zip", bucket=bucket.name, name="site.zip", source=pulumi.FileArchive("site"))
gcp.storage.BucketObject(
    "tar",
    bucket=bucket.name,
    name="more.tar",
    source=pulumi.AssetArchive({"a.txt": pulumi.StringAsset("a"), "site": pulumi.FileArchive("site")}),
)
same = gcp.storage.Bucket.get("same", bucket.id)
project = pulumi.runtime.invoke("gcp:organizations/getProject:getProject", {}).value["projectId"]
stash = pulumi.Stash("first", input=values["word"])


async def later() -> str:
    await asyncio.sleep(0)
    return "later"


pulumi.export("values", values)
pulumi.export("secrets", pulumi.Output.all(*secrets))
pulumi.export("nested", {"bucket": {"url": bucket.url, "same": same.url}, "list": [project, later()]})
pulumi.export("hidden", pulumi.Output.secret({"a": 1}))
pulumi.export("shown", pulumi.Output.unsecret(pulumi.Output.secret("open")))
pulumi.export("json", pulumi.Output.json_dumps({"name": bucket.name}))
pulumi.export("stash", stash.output)
