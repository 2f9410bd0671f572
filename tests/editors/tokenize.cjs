// The tokens that the TextMate grammar gives: `node tokenize.cjs GRAMMAR < {"name": "text", …}` prints
// {"name": [[start, end, [scope, …]], …], …}. Offsets count UTF-16 units from the start of each text.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const oniguruma = require("vscode-oniguruma");
const textmate = require("vscode-textmate");

function tokens(grammar, text) {
  const found = [];
  let [start, state] = [0, textmate.INITIAL];
  for (const whole of text.split("\n")) {
    const line = whole.replace(/\r$/, ""); // the editor hands over lines without their ends
    const result = grammar.tokenizeLine(line, state);
    for (const token of result.tokens) {
      const end = Math.min(token.endIndex, line.length);
      if (token.startIndex < end) found.push([start + token.startIndex, start + end, token.scopes]);
    }
    state = result.ruleStack;
    start += whole.length + 1;
  }
  return found;
}

async function main() {
  const [file] = process.argv.slice(2);
  const wasm = path.join(path.dirname(require.resolve("vscode-oniguruma")), "onig.wasm");
  await oniguruma.loadWASM(fs.readFileSync(wasm));
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => textmate.parseRawGrammar(fs.readFileSync(file, "utf8"), file),
  });
  const grammar = await registry.loadGrammar(JSON.parse(fs.readFileSync(file, "utf8")).scopeName);
  const texts = JSON.parse(fs.readFileSync(0, "utf8"));
  const made = Object.entries(texts).map(([name, text]) => [name, tokens(grammar, text)]);
  process.stdout.write(JSON.stringify(Object.fromEntries(made)));
}

main();
