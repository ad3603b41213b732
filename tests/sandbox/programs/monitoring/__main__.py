"""An alert with a channel, and a hook that says when it has been made."""

import pulumi
import pulumi_gcp as gcp


def announce(args: pulumi.ResourceHookArgs) -> None:
    pulumi.log.info(f"{args.name} is in place")


announced = pulumi.ResourceHook("announced", announce)
channel = gcp.monitoring.NotificationChannel(
    "mail", display_name="Mail", type="email", labels={"email_address": "ops@example.org"}
)
alert = gcp.monitoring.AlertPolicy(
    "cpu",
    display_name="CPU",
    combiner="OR",
    notification_channels=[channel.id],
    conditions=[
        gcp.monitoring.AlertPolicyConditionArgs(
            display_name="CPU above 90 %",
            condition_threshold=gcp.monitoring.AlertPolicyConditionConditionThresholdArgs(
                filter='resource.type = "gce_instance" AND '
                'metric.type = "compute.googleapis.com/instance/cpu/utilization"',
                comparison="COMPARISON_GT",
                threshold_value=0.9,
                duration="300s",
                aggregations=[
                    gcp.monitoring.AlertPolicyConditionConditionThresholdAggregationArgs(
                        alignment_period="60s", per_series_aligner="ALIGN_MEAN"
                    )
                ],
            ),
        )
    ],
    opts=pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(after_create=[announced])),
)
pulumi.export("alert", alert.name)
