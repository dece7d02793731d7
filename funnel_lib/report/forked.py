"""Kernels forked from a warmed-up parent: the provisioner that asks it for a kernel, and how a kernel is taken for ready."""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.provisioning import LocalProvisioner

from funnel_lib.errors import FunnelError
from funnel_lib.language.messages import message

# The entry point of pyproject.toml, and the environment variable that tells it where the nursery is.
PROVISIONER = "funnel-forked"
ADDRESS = "FUNNEL_KERNEL_NURSERY"
LOOK_SECONDS, LOOKS = 0.01, 50


class ForkedProcess:
    """A forked kernel with the face of `subprocess.Popen`. The nursery kills the kernel when the connection closes."""

    stdin = stdout = stderr = None

    def __init__(self, connection: socket.socket, pid: int) -> None:
        self._connection, self.pid, self.returncode = connection, pid, None

    def poll(self) -> int | None:
        """The exit code, or None while the kernel runs."""
        return self._code(socket.MSG_DONTWAIT)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once the kernel has ended."""
        try:
            if self.returncode is None:
                self._connection.settimeout(timeout)
            return self._code(0)
        except TimeoutError as error:
            raise subprocess.TimeoutExpired("kernel", timeout) from error

    def send_signal(self, number: int) -> None:
        """A signal to the kernel, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask the kernel to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the kernel."""
        self.send_signal(signal.SIGKILL)

    def _code(self, flags: int) -> int | None:
        if self.returncode is None:
            try:
                told = self._connection.recv(64, flags)
            except BlockingIOError:
                return None
            except ConnectionError:
                told = b""
            # A nursery that is gone without a word has taken its kernels along.
            self.returncode = int(told) if told else -signal.SIGKILL
            self._connection.close()
        return self.returncode


class ForkedKernels(LocalProvisioner):
    """Asks the nursery for a kernel; starts one the usual way where there is no nursery, or it has died."""

    async def launch_kernel(self, cmd: list[str], **options: Any) -> dict[str, Any]:
        """Called by jupyter_client with the command of the kernel specification."""
        process = _forked(os.environ.get(ADDRESS, ""), cmd, options)
        if process is None:
            return await super().launch_kernel(cmd, **options)
        self.process, self.pid, self.pgid = process, process.pid, process.pid
        self.cwd = options.get("cwd", Path.cwd())
        return self.connection_info

    async def kill(self, restart: bool = False) -> None:
        """End the kernel and see it gone: whoever asks looks for that ten times a second only."""
        await super().kill(restart)
        for _ in range(LOOKS):
            if await self.poll() is not None:
                return
            await asyncio.sleep(LOOK_SECONDS)


class PromptClient(AsyncKernelClient):
    """Takes a kernel for ready when it has answered and said that it is idle; the stock client then listens on for 0.2 s."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Return when the kernel is ready. Raises `DeadKernelError` where it has died, `FunnelError` where it takes longer than
        `timeout` seconds."""
        from nbclient.exceptions import DeadKernelError  # takes a while: only where something is rendered

        deadline = time.monotonic() + (math.inf if timeout is None else timeout)
        while time.monotonic() < deadline:
            asked = self.kernel_info()
            try:
                self._handle_kernel_info_reply(await self.shell_channel.get_msg(timeout=1))
                while not _tells_idle(await self.iopub_channel.get_msg(timeout=0.2), asked):
                    pass
                return
            except Empty:  # not heard, or not heard of yet: asked again
                if not await self.is_alive():
                    raise DeadKernelError from None
        raise FunnelError(message("the kernel did not answer within {seconds:g} s", seconds=timeout))


def _tells_idle(said: dict[str, Any], asked: str) -> bool:
    return said["content"].get("execution_state") == "idle" and said["parent_header"].get("msg_id") == asked


def _forked(address: str, command: list[str], options: dict[str, Any]) -> ForkedProcess | None:
    """A kernel of the nursery at this address, or None where it does not answer."""
    if not address:
        return None
    asked = {"arguments": command[command.index("-f"):], "folder": str(options.get("cwd") or Path.cwd()),
             "environment": dict(options.get("env") or os.environ)}
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(address)
        connection.sendall(json.dumps(asked).encode() + b"\n")
        pid = _line(connection)
    except OSError:
        pid = b""
    if not pid:
        connection.close()
        return None
    return ForkedProcess(connection, int(pid))


def _line(connection: socket.socket) -> bytes:
    """The first line alone: the exit code may follow at once."""
    line = b""
    while not line.endswith(b"\n"):
        byte = connection.recv(1)
        if not byte:
            return b""
        line += byte
    return line
