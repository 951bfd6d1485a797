"""The descriptor pool of the generated code: apart from the default one, so that a program may have
other code for google.rpc or tidemark.v1 beside it."""

from google.protobuf import (any_pb2, descriptor_pool, duration_pb2, field_mask_pb2,
                             timestamp_pb2)

POOL = descriptor_pool.DescriptorPool()
for _module in (any_pb2, duration_pb2, field_mask_pb2, timestamp_pb2):
    POOL.AddSerializedFile(_module.DESCRIPTOR.serialized_pb)
