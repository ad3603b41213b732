import pulumi

LABELS = {"team": pulumi.Config().require("team")}
