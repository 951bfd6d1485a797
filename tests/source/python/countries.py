"""A Tidemark connector made from the generated code alone: serves a list that it knows by heart.

Usage: countries.py ADDRESS, where ADDRESS is unix:PATH or 127.0.0.1:0; prints the port.
"""

import sys
from concurrent import futures

import grpc

from tidemark.v1 import connector_pb2 as pb
from tidemark.v1 import connector_pb2_grpc

ROWS = [("at", "Austria", 8.9), ("ch", "Switzerland", 8.7), ("is", "Iceland", None),
        ("no", "Norway", 5.4)]


class Countries(connector_pb2_grpc.ConnectorServicer):
    def Describe(self, request, context):
        return pb.DescribeResponse(id="countries", version="1.0.0")

    def Schema(self, request, context):
        key = pb.Column(name="code", type=pb.DATA_TYPE_STRING, key=True)
        return pb.SchemaResponse(tables=[pb.Table(name="countries", columns=[key])])

    def Update(self, requests, context):
        start = next(requests).start
        done = int(start.states[0].body) if start.states else 0
        for number, (code, name, millions) in enumerate(ROWS[done:], done + 1):
            values = {"code": pb.Value(string=code), "name": pb.Value(string=name),
                      "millions": pb.Value(double=millions) if millions else pb.Value()}
            row = pb.Row(table="countries", values=values)
            yield pb.UpdateResponse(rows=pb.Rows(rows=[row]))
            state = pb.StateEntry(body=str(number).encode(), cursor=code)
            yield pb.UpdateResponse(checkpoint=pb.Checkpoint(id=number - done, states=[state]))
        yield pb.UpdateResponse(finished=pb.Finished())


if __name__ == "__main__":
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    connector_pb2_grpc.add_ConnectorServicer_to_server(Countries(), server)
    port = server.add_insecure_port(sys.argv[1])
    server.start()
    print(port, flush=True)
    server.wait_for_termination()
