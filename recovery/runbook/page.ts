import { createHash } from "node:crypto";
import { Marked } from "marked";
import type { Estate } from "../../model/estate.ts";
import { runbookText, type RunbookScenario } from "../../model/runbook.ts";

/** One runbook, in both forms that people can read. */
export interface Runbook {
    scenario: RunbookScenario;
    /** Tells whether a printed page is still the present one: 12 hex digits over the text. */
    fingerprint: string;
    markdown: string;
    /** One page that needs nothing else: to be printed, or read on a telephone. */
    html: string;
}

/** Makes the runbook of a scenario. `account`: number of the AWS account, where it is known. */
export function makeRunbook(estate: Estate, scenario: RunbookScenario, account?: string): Runbook {
    const { title, text } = runbookText(scenario, { estate, account });
    const fingerprint = createHash("sha256").update(text).digest("hex").slice(0, 12);
    const present = `Fingerprint **${fingerprint}**: this page is out of date where \`lifeboat runbook ${scenario} --json\` says another one.`;
    const markdown = `${text}\n\n${present}\n`;
    return { scenario, fingerprint, markdown, html: page(title, markdown, fingerprint) };
}

const escape = (text: string): string => text.replaceAll(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

/** A command may be broken between its words only: half of "--resume" at the end of a line would be typed as it stands. */
const whole = (command: string): string => escape(command).replaceAll(/\S+/g, (word) => `<span>${word}</span>`);

/** What goes on in a second line is set back: one command is told from the next. */
const line = (command: string): string => `<span class="line">${whole(command)}</span>`;

const marked = new Marked({
    gfm: true,
    renderer: {
        // Markup in the text would be somebody's mistake or attack: it is shown, not obeyed.
        html: ({ text }) => escape(text),
        codespan: ({ text }) => `<code>${whole(text)}</code>`,
        code: ({ text }) => `<pre><code>${text.split("\n").map(line).join("")}</code></pre>\n`,
    },
});

function page(title: string, markdown: string, fingerprint: string): string {
    const html = marked.parse(markdown, { async: false });
    // A heading and what belongs to it stay together on paper.
    const sections = html.split(/(?=<h[23]>|<blockquote>\s*<p><strong>)/).map((part) => {
        const kind = /^<h3>/.test(part) ? "step" : /^<blockquote>/.test(part) ? "stop" : "part";
        return `<section class="${kind}">${part}</section>`;
    });
    return [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
        `<title>${escape(title)}</title><style>${style(fingerprint)}</style></head>`,
        `<body>${sections.join("\n")}</body></html>`,
        "",
    ].join("\n");
}

const style = (fingerprint: string): string => `
:root { color-scheme: light dark; --line: #888; --ink: #111; --paper: #fff; --code: #f0f0ec; --stop: #a00; }
@media (prefers-color-scheme: dark) { :root { --line: #777; --ink: #eee; --paper: #161616; --code: #262626; --stop: #f77; } }
* { box-sizing: border-box; }
body { max-width: 46rem; margin: 0 auto; padding: 1rem; font: 17px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: .5rem 0; }
h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; padding-top: .4rem; border-top: 3px solid var(--ink); }
h3 { font-size: 1.05rem; margin: 0 0 .3rem; }
p, ul, ol, table, pre, blockquote { margin: .5rem 0; }
pre, code { font: .9em/1.45 ui-monospace, monospace; background: var(--code); }
code { padding: .1em .25em; }
pre { padding: .6rem .8rem; border-left: 4px solid var(--ink); white-space: pre-wrap; }
code span { display: inline-block; max-width: 100%; overflow-wrap: anywhere; }
code .line { display: block; padding-left: 1.5em; text-indent: -1.5em; }
code .line span { text-indent: 0; }
pre code { padding: 0; font-size: 1em; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid var(--line); padding: .3rem .5rem; text-align: left; vertical-align: top; overflow-wrap: break-word; }
@media (max-width: 40rem) { table { font-size: .85em; } th, td { padding: .2rem .3rem; } td { overflow-wrap: anywhere; } }
td code { white-space: normal !important; }
tbody td:empty { height: 2.2rem; }
li:has(> input) { list-style: none; position: relative; margin: .35rem 0; }
li > input { appearance: none; position: absolute; left: -1.5em; top: .2em; width: 1.05em; height: 1.05em; margin: 0; border: 1.5px solid var(--ink); border-radius: 2px; }
@media (min-width: 40rem), print { :not(pre) > code { white-space: nowrap; } }
.step { border: 1px solid var(--line); border-radius: 6px; padding: .7rem .9rem; margin: .8rem 0; }
blockquote { border-left: 4px solid var(--line); padding: .1rem .8rem; }
.stop blockquote { border: 3px solid var(--stop); padding: .4rem .8rem; }
@media print {
  @page { size: A4; margin: 15mm 15mm 18mm; @bottom-right { content: counter(page) " / " counter(pages); } @bottom-left { content: "${fingerprint}"; } }
  :root { --line: #555; --ink: #000; --paper: #fff; --code: #f4f4f4; --stop: #000; }
  body { max-width: none; padding: 0; font-size: 10.5pt; line-height: 1.4; }
  h2 { margin-top: 1.4rem; }
  .step { padding: .4rem .8rem; margin: .5rem 0; }
  .step p, .step pre { margin: .2rem 0; }
  pre { padding: .25rem .8rem; }
  h2 { break-after: avoid; }
  pre, table { break-before: avoid; }
  p:has(+ blockquote) { break-after: avoid; }
  .step, pre, table, blockquote, li { break-inside: avoid; }
}`;
