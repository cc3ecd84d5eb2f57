// Judges signed transactions and digests by the package viem. Reads JSON of {"transactions", "personal", "typed"} and writes
// what each transaction says (null where it is none) and the digest of each message.

const fs = require("node:fs");
const { decodeFunctionData, encodeFunctionData, erc20Abi, hashMessage, hashTypedData, keccak256, parseTransaction, recoverTransactionAddress, serializeTransaction } = require("viem");

async function said(bytes) {
  try {
    return await read(bytes);
  } catch {
    return null; // whatever a judge has against a transaction
  }
}

async function read(bytes) {
  const tx = parseTransaction(bytes);
  const from = await recoverTransactionAddress({ serializedTransaction: bytes });
  const legacy = tx.type === "legacy";
  const one = {
    kind: legacy ? 0 : tx.type === "eip1559" ? 2 : 255, chain: tx.chainId, nonce: tx.nonce ?? 0, gas: Number(tx.gas),
    max: String(legacy ? tx.gasPrice : tx.maxFeePerGas), tip: String(legacy ? 0 : (tx.maxPriorityFeePerGas ?? 0)),
    token: "", to: tx.to, amount: String(tx.value ?? 0n), from: from.toLowerCase(), hash: keccak256(bytes),
  };
  if (tx.data && tx.data !== "0x") {
    const { functionName, args } = decodeFunctionData({ abi: erc20Abi, data: tx.data });
    const again = encodeFunctionData({ abi: erc20Abi, functionName: "transfer", args });
    if (functionName !== "transfer" || again !== tx.data || (tx.value ?? 0n) !== 0n) return null;
    Object.assign(one, { token: tx.to, to: args[0].toLowerCase(), amount: String(args[1]) });
  }
  const { r, s, v, yParity, ...unsigned } = tx;
  return serializeTransaction(unsigned, { r, s, v, yParity }) === bytes ? one : null;
}

async function main() {
  const { transactions, personal, typed } = JSON.parse(fs.readFileSync(0, "utf8"));
  process.stdout.write(JSON.stringify({
    transactions: await Promise.all(transactions.map(said)),
    personal: personal.map((raw) => hashMessage({ raw })),
    typed: typed.map((text) => hashTypedData(JSON.parse(text))),
  }));
}

main();
