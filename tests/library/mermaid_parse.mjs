// Reads a JSON list of diagrams, writes a JSON list of what Mermaid's own parser takes them for.
import { readFileSync } from "node:fs";
import { JSDOM } from "jsdom";

globalThis.window = new JSDOM("").window; // its sanitiser looks for one
globalThis.document = window.document;
const { default: mermaid } = await import("mermaid");
const said = [];
for (const text of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    said.push((await mermaid.parse(text)).diagramType);
  } catch (error) {
    said.push(`fault: ${error.message ?? error}`);
  }
}
console.log(JSON.stringify(said));
