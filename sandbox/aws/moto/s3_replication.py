"""S3 replication: what is to be copied, and the copying of one version. When and in what order is the replicator's affair.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html and replication-status.html. moto stores a
rule and does nothing with it; it also answered a rule without its filter, criteria and delete markers.

GET  /_sandbox/replication            what waits: [{id, kind, bucket, key, versionId, role, rule, sourceRegion, destinationRegion, ...}]
POST /_sandbox/replication/ID {"result": "COMPLETED" | "FAILED"}   copies it, or marks it as failed; 404 when it is not waiting (any more)
"""

import copy
import threading
import uuid
from datetime import datetime, timezone

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.s3.exceptions import ReplicationConfigurationNotFoundError, S3ClientError
from moto.s3.models import FakeDeleteMarker, FakeKey, S3Backend
from moto.s3.responses import S3Response

waiting = {}
lock = threading.RLock()


class InvalidReplication(S3ClientError):
    code = "InvalidRequest"


def listed(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def prefix_of(rule):
    """The filter's prefix; V1 rules have it on the rule itself. Filters by tag are refused when the rule is put."""
    within = rule.get("Filter") or {}
    return within.get("Prefix") or (within.get("And") or {}).get("Prefix") or rule.get("Prefix") or ""


def enabled(setting):
    return (setting or {}).get("Status") == "Enabled"


def rules_for(bucket, key):
    """One rule a destination bucket: the one with the highest priority that is enabled and matches the key."""
    chosen = {}
    for rule in sorted(listed((getattr(bucket, "replication", None) or {}).get("Rule")), key=lambda r: int(r["Priority"])):
        if rule["Status"] == "Enabled" and key.startswith(prefix_of(rule)):
            chosen[rule["Destination"]["Bucket"]] = rule
    return list(chosen.values())


def encrypted_key_is_named(rule, key):
    """Objects under SSE-KMS are copied only where the rule says so and names the replica's key."""
    if key.encryption != "aws:kms":
        return True
    criteria = (rule.get("SourceSelectionCriteria") or {}).get("SseKmsEncryptedObjects")
    return enabled(criteria) and bool((rule["Destination"].get("EncryptionConfiguration") or {}).get("ReplicaKmsKeyID"))


def enqueue(backend, bucket, rule, kind, name, version_id, kms_key_id=None):
    destination = rule["Destination"]["Bucket"].split(":::")[1]
    replica_key = (rule["Destination"].get("EncryptionConfiguration") or {}).get("ReplicaKmsKeyID")
    identity = str(uuid.uuid4())
    waiting[identity] = {
        "id": identity,
        "at": datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "kind": kind,
        "bucket": bucket.name,
        "key": name,
        "versionId": version_id,
        "role": bucket.replication["Role"],
        "rule": rule["ID"],
        "destination": destination,
        "sourceRegion": bucket.region_name,
        "destinationRegion": backend.get_bucket(destination).region_name,
        "sourceKmsKey": kms_key_id,
        "replicaKmsKey": replica_key if kms_key_id else None,
        "storageClass": rule["Destination"].get("StorageClass"),
    }


def consider(backend, bucket, key, kind):
    """Objects put while a rule stands are PENDING; those put before it, and replicas themselves, have no status of this kind."""
    if not bucket.is_versioned or getattr(key, "replication_status", None) == "REPLICA":
        return
    with lock:
        for rule in rules_for(bucket, key.name):
            if encrypted_key_is_named(rule, key):
                key.replication_status = "PENDING"
                enqueue(backend, bucket, rule, kind, key.name, key.version_id, key.kms_key_id if key.encryption == "aws:kms" else None)


def version(bucket, name, version_id):
    for each in bucket.keys.getlist(name, []):
        if str(each.version_id) == str(version_id):
            return each
    return None


def insert(bucket, replica):
    """Puts a version in its place: a copy that arrives late must not hide a newer version that arrived before it."""
    versions = bucket.keys.getlist(replica.name, []) + [replica]
    bucket.keys.setlist(replica.name, sorted(versions, key=lambda v: v.last_modified))


def copy_version(backend, item):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html: same key, version id, metadata, tags, retention and age."""
    source = version(backend.get_bucket(item["bucket"]), item["key"], item["versionId"])
    destination = backend.get_bucket(item["destination"])
    if source is None:
        return False
    existing = version(destination, item["key"], item["versionId"])
    if isinstance(source, FakeDeleteMarker):
        if existing is None:
            marker = copy.copy(source)
            marker.replication_status = "REPLICA"
            insert(destination, marker)
        return True
    if existing is None:
        existing = FakeKey(
            name=source.name,
            bucket_name=destination.name,
            value=source.value,
            account_id=source.account_id,
            region_name=destination.region_name,
            storage=item["storageClass"] or source.storage_class,
            etag=source.etag.strip('"'),
            is_versioned=True,
            version_id=source.version_id,
            multipart=source.multipart,
            encryption=source.encryption,
            kms_key_id=item["replicaKmsKey"],
            bucket_key_enabled=source.bucket_key_enabled,
            lock_mode=source.lock_mode,
            lock_until=source.lock_until,
            lock_legal_status=source.lock_legal_status,
            checksum_value=source.checksum_value,
            checksum_type=source.checksum_type,
            checksum_parts=source.checksum_parts,
        )
        existing.checksum_algorithm = source.checksum_algorithm
        existing.last_modified = source.last_modified
        existing.set_acl(source.acl)
        if not existing.lock_mode and destination.has_default_lock:
            existing.lock_mode, existing.lock_until = destination.default_lock_mode, destination.default_retention()
        existing.set_metadata(dict(source.metadata))
        existing.replication_status = "REPLICA"
        insert(destination, existing)
    elif source.lock_until and source.lock_until > (existing.lock_until or ""):
        existing.lock_mode, existing.lock_until = source.lock_mode, source.lock_until
    backend.tagger.delete_all_tags_for_resource(existing.arn)
    backend.tagger.copy_tags(source.arn, existing.arn)
    return True


def settle(backend, item, result):
    copied = result == "COMPLETED" and copy_version(backend, item)
    source = version(backend.get_bucket(item["bucket"]), item["key"], item["versionId"])
    if source is not None and not isinstance(source, FakeDeleteMarker):
        others = [w for w in waiting.values() if (w["bucket"], w["key"], w["versionId"]) == (item["bucket"], item["key"], item["versionId"])]
        source.replication_status = "FAILED" if result == "FAILED" else "PENDING" if others else "COMPLETED"
    return {"copied": bool(copied)}


def answer(method, path, body):
    from moto.s3.models import s3_backends

    parts = path.strip("/").split("/")[1:]
    if parts[:1] != ["replication"] or len(parts) > 2:
        raise KeyError(path)
    with lock:
        if len(parts) == 1:
            return list(waiting.values())
        if method != "POST" or body.get("result") not in ("COMPLETED", "FAILED"):
            raise KeyError(method)
        item = waiting.pop(parts[1])
        return settle(s3_backends["123456789012"]["aws"], item, body["result"])


def check_rules(backend, replication):
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketReplication.html; what the replicator cannot do is refused here."""
    for rule in listed(replication["Rule"]):
        try:
            destination = backend.get_bucket(rule["Destination"]["Bucket"].split(":::")[1])
        except ServiceException as error:
            raise InvalidReplication("Destination bucket must exist.") from error
        if not destination.is_versioned:
            raise InvalidReplication("Destination bucket must have versioning enabled.")
        within = rule.get("Filter") or {}
        if within.get("Tag") or (within.get("And") or {}).get("Tag"):
            raise InvalidReplication("The sandbox replicates by prefix only: a filter by tag is beyond it.")
        if "Filter" in rule and "DeleteMarkerReplication" not in rule:
            raise InvalidReplication("DeleteMarkerReplication must be specified for this version of Cross Region Replication configuration schema.")


def rules_are_kept_whole():
    put = S3Backend.put_bucket_replication

    def put_bucket_replication(self, bucket_name, replication):
        check_rules(self, replication)
        return put(self, bucket_name, replication)

    def get_bucket_replication(self):
        replication = self.backend.get_bucket_replication(self.bucket_name)
        if not replication:
            raise ReplicationConfigurationNotFoundError(bucket_name=self.bucket_name)
        self.data["Action"] = "GetBucketReplication"
        known = ("ID", "Priority", "Prefix", "Filter", "Status", "SourceSelectionCriteria", "ExistingObjectReplication", "Destination",
                 "DeleteMarkerReplication")
        rules = [{name: rule[name] for name in known if name in rule} for rule in listed(replication["Rule"])]
        for rule in rules:
            # An empty element (a filter that matches all) is None in the parsed request.
            if "Filter" in rule:
                rule["Filter"] = {"Prefix": (rule["Filter"] or {}).get("Prefix") or ""} if "And" not in (rule["Filter"] or {}) else rule["Filter"]
        return self.serialized(ActionResult({"ReplicationConfiguration": {"Role": replication["Role"], "Rules": rules}}))

    S3Backend.put_bucket_replication = put_bucket_replication
    S3Response.get_bucket_replication = get_bucket_replication


def changes_are_queued():
    put, retain, tag, mark = S3Backend.put_object, S3Backend.put_object_retention, S3Backend.put_object_tagging, S3Backend._set_delete_marker

    def put_object(self, bucket_name, *arguments, **named):
        key = put(self, bucket_name, *arguments, **named)
        consider(self, self.get_bucket(bucket_name), key, "object")
        return key

    def again(self, key):
        if isinstance(key, FakeKey) and getattr(key, "replication_status", None) == "COMPLETED":
            consider(self, self.get_bucket(key.bucket_name), key, "metadata")

    def put_object_tagging(self, key, tags):
        result = tag(self, key, tags)
        again(self, key)
        return result

    def put_object_retention(self, bucket_name, key_name, version_id, retention):
        result = retain(self, bucket_name, key_name, version_id, retention)
        again(self, self.get_object(bucket_name, key_name, version_id=version_id))
        return result

    def set_delete_marker(self, bucket_name, key_name):
        marker = mark(self, bucket_name, key_name)
        bucket = self.get_bucket(bucket_name)
        with lock:
            for rule in rules_for(bucket, key_name):
                if enabled(rule.get("DeleteMarkerReplication")):
                    enqueue(self, bucket, rule, "delete-marker", key_name, marker.version_id)
        return marker

    S3Backend.put_object, S3Backend.put_object_tagging = put_object, put_object_tagging
    S3Backend.put_object_retention, S3Backend._set_delete_marker = put_object_retention, set_delete_marker


def status_is_answered():
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html: x-amz-replication-status of GET and HEAD."""
    original = FakeKey.response_dict.fget

    def response_dict(self):
        headers = original(self)
        if getattr(self, "replication_status", None):
            headers["x-amz-replication-status"] = self.replication_status
        return headers

    FakeKey.response_dict = property(response_dict)


def apply():
    rules_are_kept_whole()
    changes_are_queued()
    status_is_answered()
