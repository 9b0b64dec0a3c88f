"""Multi-region keys.

https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html: related keys have the same key id and key
material, so what one encrypts any of them decrypts; each has its own ARN, aliases, grants, description, tags and policy; rotation is
a property of the primary that its replicas share.
"""

import json

import moto.kms.utils as utils
from moto.kms.models import KmsBackend, kms_backends
from moto.kms.responses import KmsResponse

# "mrk-" and 32 hexadecimal digits, where moto has "mrk-" and a UUID of 36 characters.
LONGEST_ID = 40


def ciphertexts_name_any_key():
    """moto's ciphertext keeps 36 characters of the key's id, so one made with a multi-region key (40 characters) named no key."""
    utils.CIPHERTEXT_HEADER_FORMAT = f">{LONGEST_ID}s{utils.IV_LEN}s{utils.TAG_LEN}s"
    utils.HEADER_LEN = LONGEST_ID + utils.IV_LEN + utils.TAG_LEN
    original = utils._deserialize_ciphertext_blob

    def deserialize(ciphertext_blob):
        ciphertext = original(ciphertext_blob)
        return ciphertext._replace(key_id=ciphertext.key_id.rstrip("\0"))

    utils._deserialize_ciphertext_blob = deserialize


def replicas_are_keys_of_their_own():
    """ReplicateKey took no ARN, and its replica shared the primary's aliases, grants, rotations and description."""
    original = KmsBackend.replicate_key

    def replicate_key(self, key_id, replica_region):
        key = original(self, self.get_key_id(key_id), replica_region)
        key.aliases, key.grants, key.rotations = {}, {}, []
        key.multi_region_configuration = {**key.multi_region_configuration, "MultiRegionKeyType": "REPLICA"}
        return key

    KmsBackend.replicate_key = replicate_key
    answer = KmsResponse.replicate_key

    def respond(self):
        answer(self)
        region = self._get_param("ReplicaRegion")
        backend = kms_backends[self.current_account][region]
        key = backend.keys[self.kms_backend.get_key_id(self._get_param("KeyId"))]
        # https://docs.aws.amazon.com/kms/latest/APIReference/API_ReplicateKey.html: these three are the replica's own.
        key.description = self._get_param("Description") or ""
        key.policy = self._get_param("Policy") or key.generate_default_policy()
        tags = self._get_param("Tags") or []
        if tags:
            backend.tagger.tag_resource(key.id, tags)
        metadata = key.to_dict()["KeyMetadata"]
        return json.dumps({"ReplicaKeyMetadata": metadata, "ReplicaPolicy": key.policy, "ReplicaTags": tags})

    KmsResponse.replicate_key = respond


def rotation_is_the_primarys():
    """A replica kept the rotation status of the moment it was made."""
    original = KmsBackend.get_key_rotation_status

    def get_key_rotation_status(self, key_id):
        key = self.keys[self.get_key_id(key_id)]
        if not key.multi_region:
            return original(self, key_id)
        primary = key.multi_region_configuration["PrimaryKey"]
        return kms_backends[self.account_id][primary["Region"]].keys[key.id].key_rotation_status

    KmsBackend.get_key_rotation_status = get_key_rotation_status


def apply():
    ciphertexts_name_any_key()
    replicas_are_keys_of_their_own()
    rotation_is_the_primarys()
