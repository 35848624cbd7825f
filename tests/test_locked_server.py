"""A server whose key store cannot be used: it answers, says why, and writes nothing over anything."""

import asyncio
import os
import sys
from pathlib import Path

import aiohttp

from tests.opening import open_store
from tests.people import alice
from vault.settings import VaultSettings


async def test_a_locked_server_says_so_in_one_sentence_and_readiness_shows_it(tmp_path: Path) -> None:
    settings = VaultSettings(data=tmp_path / "data")
    async with open_store(settings) as store:
        await alice(store)
    settings.root_key().rename(tmp_path / "elsewhere")
    before = {path: path.read_bytes() for path in settings.keystore().parent.iterdir()}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "spreekkamer", "serve"),
        cwd=Path(__file__).parents[1],
        env={
            **os.environ,
            "SPREEKKAMER_ROOMS__DATA": str(settings.data),
            "SPREEKKAMER_SIGNALING__PORT": "0",
            "SPREEKKAMER_MEDIA__PORT": "0",
            "SPREEKKAMER_MEDIA__WORKERS": "1",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(120):
            origin = (await process.stdout.readline()).decode().split()[-1]
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{origin}/health/live") as response:
                assert response.status == 200
            async with session.get(f"{origin}/health/ready") as response:
                assert response.status == 503
                check = (await response.json())["checks"]["key_store"]
            body = {"mail": "alice@example.org", "password": "correct horse battery"}
            async with session.post(f"{origin}/api/v1/sign-in", json=body, headers={"Origin": origin}) as response:
                assert response.status == 503
                assert (await response.json())["error"]["code"] == "locked"
        reason = "The root key file is missing; put it back and start again."
        assert (check["ok"], check["advice"]) == (False, reason)
    finally:
        process.terminate()
        async with asyncio.timeout(120):
            _, said = await process.communicate()
    assert f"spreekkamer: locked. {reason}\n" in said.decode()
    assert {path: path.read_bytes() for path in settings.keystore().parent.iterdir()} == before
    assert not settings.root_key().exists()
