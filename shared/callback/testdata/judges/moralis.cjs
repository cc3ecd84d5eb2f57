// Callbacks of Moralis Streams, as its own package verifies them: @moralisweb3/streams 2.27.2 (npm, MIT), on
// @moralisweb3/common-core 2.27.2 and @moralisweb3/api-utils 2.27.2. It only verifies: the signatures are made with
// web3-utils (its dependency), as its documentation shows, and the package is asked about each.
//
//     npm install @moralisweb3/streams@2.27.2 && NODE_PATH=node_modules node moralis.cjs > moralis.json
const { Streams } = require("@moralisweb3/streams");
const { Core } = require("@moralisweb3/common-core");
const { ApiUtils } = require("@moralisweb3/api-utils");
const { sha3 } = require("web3-utils");

const SECRET = "b1a5d2f0-a streams secret";
const core = Core.create();
const streams = Streams.create(core);
core.registerModules([ApiUtils.create(core), streams]);
core.config.set("streamsSecret", SECRET);
core.start();

const test = {
  abi: {}, block: { hash: "", number: "", timestamp: "" }, txs: [], txsInternal: [], logs: [], chainId: "", tag: "", streamId: "",
  confirmed: true, retries: 0, erc20Approvals: [], erc20Transfers: [], nftApprovals: [], nftTransfers: [],
};
const native = {
  confirmed: false, chainId: "0x1", abi: [], streamId: "c28d9e2e-ae9d-4fe6-9fc0-5fcde2dcdd17", tag: "native_transactions é 马蹄", retries: 0,
  block: { number: "15988759", hash: "0x3aa07bd98e328db97ec273ce06b3a15fc645931fbd26337fe20c48b274277f76", timestamp: "1668676247" },
  logs: [], txs: [{ hash: "0xd68700a0e2abd9c041eb236812e4194bf91c8182a2b03065887ab0f33d5c2958", value: "1000000000000000000", receiptStatus: "1" }],
};
const accepted = (body, signature) => {
  try {
    return streams.verifySignature({ body, signature });
  } catch {
    return false;
  }
};
const vectors = [];
for (const [name, body] of Object.entries({ "the test": test, "a native transaction": native, "the same, confirmed": { ...native, confirmed: true } })) {
  const text = JSON.stringify(body);
  const good = sha3(text + SECRET);
  for (const [how, signature] of Object.entries({
    right: good, "by another secret": sha3(text + "another"), "without 0x": good.slice(2), "the secret before": sha3(SECRET + text), "in capitals": good.toUpperCase().replace("0X", "0x"),
  })) {
    vectors.push({ name: `${name}, ${how}`, secret: SECRET, headers: { "X-Signature": signature }, body: text, accepted: accepted(body, signature) });
  }
}
console.log(JSON.stringify({ judge: "@moralisweb3/streams 2.27.2", vectors }, null, 1));
