"""Two processes train together, as torchrun starts them.

s3prl's runner puts every process on a GPU of its own. Here both run on the CPU: a launcher takes away the two
calls that need a GPU, and leaves the rest of the runner as it is.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.experiment import Experiment, small_config
from zero_shot_emotion.results import read_results

LAUNCHER = """
import json, os, sys
import torch
from s3prl import run_downstream
from s3prl.downstream import runner
from zero_shot_emotion.expert import DownstreamExpert

torch.set_num_threads(1)
torch.cuda.set_device = lambda device: None
distributed = runner.DDP
runner.DDP = lambda model, device_ids, **options: distributed(model, **options)

forward, rank = DownstreamExpert.forward, os.environ["LOCAL_RANK"]

def written_down(self, split, features, labels, ids, records, **options):
    with open(f"batches-{rank}.jsonl", "a") as file:
        print(json.dumps([split, self.position.tolist(), ids]), file=file)
    return forward(self, split, features, labels, ids, records, **options)

DownstreamExpert.forward = written_down
sys.argv += ["--local_rank", rank, "--backend", "gloo"]
run_downstream.main()
"""
BATCHES = 2
"""Of an epoch, in each process: 16 utterances by 2 processes by 4."""


def test_two_processes_share_the_epoch(tmp_path: Path, synthetic: Path, unseen: Path) -> None:
    runner = {"total_steps": 4, "save_step": 2, "eval_step": 2, "log_step": 2}
    config = small_config(synthetic, {"unseen": unseen}, **{f"runner__{k}": value for k, value in runner.items()})
    experiment = Experiment.make(tmp_path / "experiment", config)
    (tmp_path / "launcher.py").write_text(LAUNCHER)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--standalone"]
    done = subprocess.run(
        [*command, "launcher.py", "-m", "train", *map(str, experiment.arguments)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr

    splits = json.loads((experiment.folder / "splits.json").read_text(encoding="utf-8"))
    seen = {rank: read_batches(tmp_path / f"batches-{rank}.jsonl") for rank in (0, 1)}
    orders = []
    for epoch in (0, 1):
        of = {rank: [ids for split, (e, _), ids in seen[rank] if split == "train" and e == epoch] for rank in seen}
        assert [len(batches) for batches in of.values()] == [BATCHES, BATCHES]
        shares = {rank: [id_ for batch in batches for id_ in batch] for rank, batches in of.items()}
        assert not set(shares[0]) & set(shares[1])
        assert sorted(shares[0] + shares[1]) == sorted(splits["train"])
        orders.append(shares)
    assert orders[0] != orders[1]
    dev = [id_ for split, _, ids in seen[0] if split == "dev" for id_ in ids]
    assert dev == splits["dev"] * 2
    assert {split for split, _, _ in seen[1]} == {"train"}  # the leader alone evaluates

    state = experiment.state(4)
    assert (state["Step"], state["WorldSize"]) == (4, 2)
    assert state["Downstream"]["position"].tolist() == [1, 2]
    experiment.evaluate("unseen")  # in one process
    assert read_results(experiment.folder)["unseen"]["utterances"] == 16


def read_batches(path: Path) -> list[tuple[str, tuple[int, int], list[str]]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
