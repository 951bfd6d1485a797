"""`tidemark --server`: the commands of the local runner against tidemarkd."""

import json
import os
import subprocess
import unittest

from tidemarkd_case import TidemarkdCase

GENERATOR = "{{connector: generator, config: {{count: {count}}}}}"


class ServerTest(TidemarkdCase):
    def remote_json(self, *arguments, code=0):
        return json.loads(self.remote(*arguments, "--json", code=code)[0])

    def orders(self, count=20):
        return self.connection("orders", GENERATOR.format(count=count),
                               destination=self.path("warehouse.db"))

    def test_run_prints_the_report_of_a_local_run(self):
        file = self.orders()
        out, _ = self.remote("run", file)
        self.assertIn("20", out)
        self.assertIn("completed", out)
        self.assertEqual([(20,)], self.query("SELECT count(*) FROM rows"))
        report = self.remote_json("run", "orders")
        self.assertEqual("completed", report["metadata"]["status"])
        self.assertEqual(report, self.remote_json("report", "orders"))
        local = self.json("report", file)  # from the destination itself
        self.assertEqual(local["metadata"]["sync_id"], report["metadata"]["sync_id"])
        self.assertEqual(local["statistics"], report["statistics"])
        syncs = self.remote_json("report", "orders", "--list")
        self.assertEqual(2, len(syncs))

    def test_looking_commands_print_what_the_local_ones_print(self):
        file = self.orders()
        self.remote("connections", "apply", file)
        for command in ("plan", "tables", "preview"):
            self.assertEqual(self.json(command, file), self.remote_json(command, "orders"), command)
            self.assertEqual(self.run_tidemark(command, file)[0], self.remote(command, "orders")[0])
        self.assertEqual("ok", self.remote_json("check", "orders")["status"])
        self.remote("run", "orders")
        for command in (["state", "log"], ["state", "show"], ["state", "validate"], ["verify"]):
            self.assertEqual(self.json(*command, file), self.remote_json(*command, "orders"))
        self.assertEqual(self.run_tidemark("state", "log", file)[0],
                         self.remote("state", "log", "orders")[0])
        self.assertEqual(self.run_tidemark("state", "export", file)[0],
                         self.remote("state", "export", "orders")[0])

    def test_state_is_changed_after_its_plan_was_agreed_to(self):
        self.remote("run", self.orders())
        _, error = self.remote("state", "reset", "orders", code=2)
        self.assertIn("--yes", error)
        changed = self.remote_json("state", "reset", "orders", "--yes")
        self.assertEqual(1, len(changed["done"]))
        self.assertEqual("reset", changed["plan"][0]["kind"])
        again = self.remote_json("state", "reset", "orders", "--yes")
        self.assertEqual([], again["done"])
        self.remote("state", "backup", "orders")
        self.assertIn("plan", self.remote_json("state", "restore", "orders", "--yes"))

    def test_connections_are_applied_listed_paused_and_deleted(self):
        file = self.orders()
        out, _ = self.remote("connections", "apply", file, "--dry-run")
        self.assertIn("would be created", out)
        self.remote("connections", "apply", file)
        self.orders(count=30)
        out, _ = self.remote("connections", "apply", file)
        self.assertIn("20 -> 30", out)
        self.assertEqual("2", self.remote_json("connections", "show", "orders")["version"])
        self.remote("connections", "pause", "orders")
        self.assertIn("paused", self.remote("connections", "list")[0])
        self.remote("connections", "resume", "orders")
        self.remote("connections", "delete", "orders")
        self.assertEqual([], self.remote_json("connections", "list"))
        self.remote("connections", "show", "orders", code=1)

    def test_syncs_are_started_watched_and_stopped(self):
        self.remote("connections", "apply", self.orders(count=200))
        started = self.remote_json("sync", "start", "orders", "--idempotency-key", "k")
        again = self.remote_json("sync", "start", "orders", "--idempotency-key", "k")
        self.assertEqual(started["sync_id"], again["sync_id"])
        out, _ = self.remote("sync", "watch", started["sync_id"])
        self.assertIn("completed", out)
        self.assertEqual("SYNC_STATUS_COMPLETED",
                         self.remote_json("sync", "show", started["sync_id"])["status"])
        self.remote("sync", "stop", started["sync_id"])
        self.assertIn(started["sync_id"], self.remote("sync", "list")[0])

    def test_an_idempotency_key_and_the_history_outlive_a_killed_server(self):
        self.remote("connections", "apply", self.orders())
        started = self.remote_json("sync", "start", "orders", "--idempotency-key", "k")["sync_id"]
        self.remote("sync", "watch", started)
        self.kill()
        self.serve()  # on the socket that the killed one left behind
        again = self.remote_json("sync", "start", "orders", "--idempotency-key", "k")["sync_id"]
        self.assertEqual(started, again)
        self.assertEqual([started], [s["sync_id"] for s in self.remote_json("sync", "list")])
        self.assertIn("completed", self.remote("report", "orders")[0])

    def test_tokens_open_tcp_as_far_as_they_reach(self):
        self.remote("connections", "apply", self.orders())
        token = self.remote("token", "create", "--role", "viewer")[0].strip()
        self.write("token", token + "\n")
        over_tcp = ("--server", self.tcp)
        self.run_tidemark(*over_tcp, "connections", "list", code=4)
        self.run_tidemark(*over_tcp, "--token-file", "token", "connections", "list")
        _, error = self.run_tidemark(*over_tcp, "--token-file", "token", "run", "orders", code=4)
        self.assertIn("operator", error)
        self.remote("token", "revoke", token.split("_")[1])
        self.run_tidemark(*over_tcp, "--token-file", "token", "connections", "list", code=4)
        self.assertIn("revoked", self.remote("token", "list")[0])
        self.remote("audit", "verify")
        self.assertIn("UNAUTHENTICATED", self.remote("audit", "list")[0])
        secret = token.split("_")[2]
        self.assertNotIn(secret, "".join(self.log))
        with open(self.path("data/catalog.db"), "rb") as file:
            self.assertNotIn(secret.encode(), file.read())

    def test_secrets_come_from_standard_input_and_are_never_shown(self):
        process = subprocess.run(
            ["tidemark", "--server", self.socket, "secret", "set", "crm"],
            input="canary-4711\n", text=True, capture_output=True, cwd=self.folder,
            env=self.environment, check=False)
        self.assertEqual(0, process.returncode, process.stderr)
        self.assertNotIn("canary", process.stdout + process.stderr)
        self.assertEqual("crm", self.remote_json("secret", "list")[0]["name"])
        self.remote("secret", "delete", "crm")

    def test_what_works_here_alone_says_so(self):
        for command in (["debug", "x"], ["rows"], ["plugins", "test", "hello"], ["reset"]):
            _, error = self.remote(*command, code=2)
            self.assertIn("this machine alone", error, command)
        _, error = self.remote("report", "orders.yaml", code=2)
        self.assertIn("connections apply", error)
        _, error = self.run_tidemark("connections", "list", code=2)
        self.assertIn("--server", error)

    def test_the_protos_are_written_as_they_stand(self):
        self.run_tidemark("proto", "--out", "protos")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "proto")
        for name in ("tidemark/v1/control.proto", "tidemark/v1/ingest.proto",
                     "tidemark/v1/connector.proto", "google/rpc/error_details.proto"):
            with open(os.path.join(source, name), encoding="utf-8") as file:
                self.assertEqual(file.read(), self.read(os.path.join("protos", name)), name)

    def test_a_server_that_is_not_there_is_said(self):
        _, error = self.run_tidemark("--server", "unix:/nowhere", "connections", "list", code=1)
        self.assertIn("/nowhere", error)


if __name__ == "__main__":
    unittest.main()
