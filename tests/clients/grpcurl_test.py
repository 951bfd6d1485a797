"""Runs what the grpcurl lines of server/README.md do, with a client made from the protos alone."""

import json
import os
import re
import shlex
import unittest

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

from tidemark_case import TIMEOUT_S
from tidemarkd_case import TidemarkdCase

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "server", "README.md")


class GrpcurlTest(TidemarkdCase):
    def setUp(self):
        super().setUp()
        token, _ = self.remote("token", "create", "--role", "operator")
        self.variables = {"SOCKET": self.path("s.sock"), "ADDRESS": self.tcp,
                          "TIDEMARK_TOKEN": token.strip()}

    def grpcurl(self, line):
        """The answers of one line, as grpcurl would print them."""
        words = shlex.split(re.sub(r"\$(\w+)", lambda m: self.variables[m[1]], line))[1:]
        data, metadata, unix, protoset = "{}", [], False, None
        while words[0].startswith("-"):
            option = words.pop(0)
            if option == "-unix":
                unix = True
            elif option == "-protoset":
                protoset = words.pop(0)
            elif option == "-d":
                data = words.pop(0)
            elif option == "-H":
                metadata.append(tuple(words.pop(0).split(": ", 1)))
            else:
                self.assertEqual("-plaintext", option)
        address, method = words
        files = descriptor_pb2.FileDescriptorSet()
        with open(self.path(protoset), "rb") as file:
            files.ParseFromString(file.read())
        pool = descriptor_pool.DescriptorPool()
        for one in files.file:
            pool.Add(one)
        service, name = method.split("/")
        rpc = pool.FindServiceByName(service).methods_by_name[name]
        request = json_format.Parse(data, message_factory.GetMessageClass(rpc.input_type)())
        answer = message_factory.GetMessageClass(rpc.output_type)
        streams = next(m.server_streaming for one in files.file for s in one.service
                       for m in s.method if f"{one.package}.{s.name}/{m.name}" == method)
        with grpc.insecure_channel(("unix:" if unix else "") + address) as channel:
            make = channel.unary_stream if streams else channel.unary_unary
            call = make(f"/{method}", request_serializer=lambda m: m.SerializeToString(),
                        response_deserializer=answer.FromString)
            result = call(request, timeout=TIMEOUT_S, metadata=metadata)
            answers = list(result) if streams else [result]
        return [json_format.MessageToDict(one, preserving_proto_field_name=True)
                for one in answers]

    def test_the_lines_of_the_readme_do_what_they_say(self):
        with open(README, encoding="utf-8") as file:
            lines = file.read().splitlines()
        commands = [line for line in lines if line.startswith("grpcurl ")]
        self.assertEqual(5, len(commands))
        self.run_tidemark("proto", "--descriptor-set", "tidemark.protoset")
        server, applied, sync = (self.grpcurl(line)[0] for line in commands[:3])
        self.assertEqual("admin", server["role"])
        self.assertTrue(applied["created"])
        self.variables["SYNC"] = sync["sync_id"]
        events = self.grpcurl(commands[3])
        self.assertEqual("SYNC_STATUS_COMPLETED", events[-1]["ended"]["status"])
        report = self.grpcurl(commands[4])[0]
        self.assertEqual(sync["sync_id"], json.loads(report["json"])["metadata"]["sync_id"])


if __name__ == "__main__":
    unittest.main()
