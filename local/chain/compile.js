// Compiles Solidity files: node compile.js OUT-FOLDER FILE.sol... writes OUT-FOLDER/<Contract>.json {abi, bytecode}.
const fs = require('fs');
const path = require('path');
const solc = require('solc');

const [out, ...files] = process.argv.slice(2);
const input = {
  language: 'Solidity',
  sources: Object.fromEntries(files.map((file) => [path.basename(file), { content: fs.readFileSync(file, 'utf8') }])),
  settings: {
    optimizer: { enabled: true },
    evmVersion: 'paris', // understood by every chain that this product knows
    outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
  },
};
const imported = (name) => ({ contents: fs.readFileSync(require.resolve(name), 'utf8') });
const result = JSON.parse(solc.compile(JSON.stringify(input), { import: imported }));
const errors = (result.errors || []).filter((error) => error.severity === 'error');
if (errors.length > 0) {
  console.error(errors.map((error) => error.formattedMessage).join('\n'));
  process.exit(1);
}
for (const file of files) {
  for (const [name, contract] of Object.entries(result.contracts[path.basename(file)])) {
    const artefact = { abi: contract.abi, bytecode: '0x' + contract.evm.bytecode.object };
    fs.writeFileSync(path.join(out, name + '.json'), JSON.stringify(artefact));
  }
}
