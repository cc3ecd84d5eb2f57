"""The local chain: anvil, its well-known accounts, and tokens deployed by plain JSON-RPC.

    python3 local/chain.py pay ADDRESS AMOUNT     pays demo dollars on the chain that is up

anvil's `finalized` tag stands two epochs of 32 slots behind the head, whatever the blocks are worth:
64 blocks, which at one block a second is over a minute. The local chain is therefore configured with
a depth; a test that wants the tag can start its own anvil with `--slots-in-an-epoch 1`.
"""

import itertools
import json
import sys
import time
import urllib.request
from decimal import Decimal

import processes
from install import LOCAL
from trouble import Trouble, told_in_one_line

CHAIN_ID = 31337
CHAIN = f"eip155:{CHAIN_ID}"

# The first account that anvil makes from "test test … junk". Everybody knows its key: for play only.
PAYER = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
PAYER_PRIVATE_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"

TOKEN = LOCAL / "tokens" / "DemoDollar.json"

_ids = itertools.count(1)


def binary():
    """The anvil that npm brought, without the Node.js script around it."""
    found = sorted((LOCAL / "npm" / "node_modules" / "@foundry-rs").glob("anvil-*/bin/anvil*"))
    if not found:
        raise Trouble("anvil has no build for this machine's system")
    return found[0]


def start(port, log, block_time=None, state=None):
    """Starts a chain; with a block time it mines by the clock, without one at every transaction. With a file for its
    state, it goes on where a clean stop left it; only transactions that were in no block are gone."""
    argv = [binary(), "--host", "127.0.0.1", "--port", port, "--chain-id", CHAIN_ID]
    if block_time:
        argv += ["--block-time", block_time]
    if state:
        argv += ["--state", state]
    process = processes.start(argv, log)
    processes.wait_until(processes.listening(port), process, "the local chain", log)
    return process


def call(rpc, method, *params):
    """One JSON-RPC call."""
    body = json.dumps({"jsonrpc": "2.0", "id": next(_ids), "method": method, "params": params}).encode()
    request = urllib.request.Request(rpc, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        said = json.load(answer)
    if "error" in said:
        raise Trouble(f"the chain refused {method}: {said['error']['message']}")
    return said["result"]


def send(rpc, sender=PAYER, **transaction):
    """Sends a transaction from an unlocked account and waits until it is mined; gives its receipt."""
    sent = call(rpc, "eth_sendTransaction", {"from": sender, **transaction})
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        receipt = call(rpc, "eth_getTransactionReceipt", sent)
        if receipt:
            if receipt["status"] != "0x1":
                raise Trouble(f"transaction {sent} was reverted")
            return receipt
        time.sleep(0.05)
    raise Trouble(f"transaction {sent} was not mined within 30 s")


def deploy_token(rpc, owner=PAYER):
    """Deploys a DemoDollar, all of it the owner's; gives its address in lower case. As often as wanted."""
    return send(rpc, owner, data=json.loads(TOKEN.read_text())["bytecode"])["contractAddress"].lower()


def transfer(rpc, token, to, units, sender=PAYER):
    """Pays `units` of a token's smallest unit; gives the receipt."""
    arguments = f"{int(to, 16):064x}{units:064x}"
    return send(rpc, sender, to=token, data="0xa9059cbb" + arguments)  # transfer(address,uint256)


def block_number(rpc):
    """The height of the head."""
    return int(call(rpc, "eth_blockNumber"), 16)


@told_in_one_line
def main():
    if len(sys.argv) != 4 or sys.argv[1] != "pay":
        raise Trouble("say: pay ADDRESS AMOUNT")
    try:
        stack = json.loads((LOCAL / "stack.json").read_text())
    except FileNotFoundError:
        raise Trouble("no chain is up: `make up` first") from None
    receipt = transfer(stack["rpc"], stack["token"], sys.argv[2], int(Decimal(sys.argv[3]) * 10**6))
    print(f"mined in block {int(receipt['blockNumber'], 16)}: {receipt['transactionHash']}")


if __name__ == "__main__":
    main()
