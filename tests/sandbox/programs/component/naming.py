LABELLED = {"gcp:storage/bucket:Bucket", "gcp:pubsub/topic:Topic"}
