"""Where work is done: the calling process, worker processes on this machine, or a Dask cluster.

All are `concurrent.futures.Executor`, and so may be whatever else a caller hands to a stage.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from threading import Thread, current_thread, main_thread
from typing import TYPE_CHECKING, Any, Literal

from ..errors import UserError

if TYPE_CHECKING:
    from distributed import Client

ExecutorName = Literal["local", "dask"]
CONNECT_SECONDS = 30
"""To reach a scheduler."""


class ExecutorError(UserError, RuntimeError):
    """Workers that cannot be had."""


class Inline(Executor):
    """An executor that works in the calling process."""

    workers = 1

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call at once; the future is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Processes(Executor):
    """Worker processes on this machine, which can be replaced when one of them has died."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool = self._start()

    def _start(self) -> ProcessPoolExecutor:
        import multiprocessing

        # Spawned workers start clean: a forked copy of a process that holds torch's threads can hang.
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(self.workers, mp_context=context, initializer=_begin)
        others = set(multiprocessing.active_children())
        with _deaf_to_interrupts():  # as they are born: an interrupt while they import would be a traceback each
            # All at once: before Python 3.12 a pool that breaks while it starts one more waits for that one for ever.
            for _ in range(self.workers):
                pool.submit(_ready)
        self._processes = set(multiprocessing.active_children()) - others
        return pool

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return self._pool.submit(fn, *args, **kwargs)

    def renew(self) -> None:
        """Start new processes in place of a pool that has broken."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._pool = self._start()

    def end(self) -> None:
        """End the workers whatever they do."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in self._processes:
            process.terminate()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._pool.shutdown(wait, cancel_futures=cancel_futures)


def _ready() -> None:
    """Import what a worker needs before there is work."""
    from . import stage  # noqa: F401


def _begin() -> None:
    """Set a worker up: it ends when the run does, and not by a Ctrl-C that is meant for the run."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Let processes that are started meanwhile ignore Ctrl-C. Signals are the main thread's business alone."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)


def _die_with_parent() -> None:
    """End this worker when the run is killed: it would wait for work for ever, and hold its model's memory."""
    from multiprocessing import parent_process
    from multiprocessing.process import BaseProcess

    def end_after(parent: BaseProcess) -> None:
        parent.join()
        os._exit(1)

    if parent := parent_process():
        Thread(target=end_after, args=(parent,), daemon=True).start()


@contextmanager
def local_executor(workers: int) -> Iterator[Executor]:
    """Worker processes on this machine; one worker is the calling process itself."""
    if workers <= 1:
        yield Inline()
        return
    with Processes(workers) as pool:
        try:
            yield pool
        except BaseException:
            pool.end()
            raise


@contextmanager
def dask_executor(client: Client) -> Iterator[Executor]:
    """The workers of a Dask cluster. What is still to do when a run is given up is cancelled."""
    # Impure: Dask would answer the second try of what killed a worker with the outcome of the first.
    executor: Executor = client.get_executor(pure=False)
    try:
        yield executor
    except BaseException:
        executor.shutdown(wait=False)
        raise


@contextmanager
def open_executor(name: ExecutorName | None = None, scheduler: str | None = None) -> Iterator[Executor | None]:
    """What a command line asks for, to be handed to a stage as its ``executor``.

    Args:
        name: ``local`` or ``dask``; by default the one that ``scheduler`` implies.
        scheduler: the address of a Dask scheduler; by default what the environment variable
            ``DASK_SCHEDULER_ADDRESS`` says.

    Yields:
        the workers of the cluster, or None: the stage then starts as many processes here as it is told.

    Raises:
        ExecutorError: if Dask is not installed, or the scheduler is not named or does not answer.
    """
    if (name or ("dask" if scheduler else "local")) == "local":
        if scheduler:
            raise ExecutorError(f"--scheduler {scheduler}: got --executor local, expected dask")
        yield None
        return
    with _connect(scheduler) as client, dask_executor(client) as executor:
        yield executor


def _connect(scheduler: str | None) -> Client:
    try:
        from dask import config
        from distributed import Client
    except ImportError:
        raise ExecutorError(
            "--executor dask: Dask is not installed, expected: pip install 'zero-shot-emotion[dask]'"
        ) from None
    address = scheduler or config.get("scheduler-address", None)
    if address is None:
        raise ExecutorError("--executor dask: missing --scheduler, expected an address such as tcp://host:8786")
    try:
        return Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError, TimeoutError) as error:
        reason = str(error).strip() or type(error).__name__
        raise ExecutorError(f"--scheduler {address}: does not answer, expected a Dask scheduler: {reason}") from None


def deaths() -> tuple[type[Exception], ...]:
    """The exceptions that tell of a worker's death, those of Dask where it is in use."""
    import sys

    if "distributed" not in sys.modules:
        return (BrokenExecutor,)
    from distributed import KilledWorker

    return (BrokenExecutor, KilledWorker)
