// Bundles each package the page borrows into one module, named by its version, with its licence on top; what the tests
// look at the pages with (axe-core) is one file already, and is copied.
import { copyFile, readFile, readdir, rm } from "node:fs/promises";
import { build } from "esbuild";

const borrowed = { idb: "openDB", uuid: "v7" };
const here = new URL("./", import.meta.url);
const root = new URL("../../", here);

for (const old of await readdir(here)) {
  if (old.endsWith(".js")) await rm(new URL(old, here));
}

for (const [name, exported] of Object.entries(borrowed)) {
  const home = new URL(`node_modules/${name}/`, root);
  const { version } = JSON.parse(await readFile(new URL("package.json", home)));
  const licence = (await readdir(home)).find((file) => /^licen[cs]e/i.test(file));
  const terms = await readFile(new URL(licence, home), "utf8");
  await build({
    stdin: { contents: `export { ${exported} } from "${name}";`, resolveDir: root.pathname },
    outfile: new URL(`${name}-${version}.js`, here).pathname,
    banner: { js: `/*! ${name} ${version}\n\n${terms.trim()}\n*/` },
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
  });
  console.log(`${name} ${version}`);
}

const tests = new URL("tests/browser/", root);
const axe = new URL("node_modules/axe-core/", root);
const { version: tool } = JSON.parse(await readFile(new URL("package.json", axe)));
for (const old of await readdir(tests)) {
  if (old.startsWith("axe-core-")) await rm(new URL(old, tests));
}
await copyFile(new URL("axe.min.js", axe), new URL(`axe-core-${tool}.js`, tests));
console.log(`axe-core ${tool}`);
