// Runs a test program that was compiled to WebAssembly, so that the frozen vectors are checked there too:
//
//   CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER="node $PWD/core/crypto/tests/wasm.mjs" \
//     cargo test -p subrosa-crypto --target wasm32-unknown-unknown --test frozen
//
// The program has no console: a failed assertion stops it with a trap. Nothing here draws randomness, so the browser's functions are not supplied and
// a call to one fails.
import { readFile } from "node:fs/promises";

const wasm = await WebAssembly.compile(await readFile(process.argv[2]));
const imports = {};
for (const { module, name } of WebAssembly.Module.imports(wasm)) {
  (imports[module] ??= {})[name] = () => {
    throw new Error(`${name} is not supplied`);
  };
}
const { exports } = await WebAssembly.instantiate(wasm, imports);
const failed = exports.main(0, 0);
console.log(failed ? "the tests failed" : "the tests passed as WebAssembly");
process.exit(failed);
