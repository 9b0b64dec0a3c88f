/** Markup that may stand in a page as it is; everything else is escaped on its way in. */
export class Markup {
    readonly text: string;
    constructor(text: string) {
        this.text = text;
    }
}

type Value = Markup | readonly Markup[] | string | number;

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escape = (text: string) => text.replace(/[&<>"']/g, (character) => entities[character]!);

function render(value: Value): string {
    if (value instanceof Markup) return value.text;
    if (typeof value === "object") return value.map(render).join("");
    return escape(String(value));
}

/**
 * A template that escapes what is put into it, text and attribute values alike.
 * @example markup`<b title="${reason}">${verdict}</b>`
 */
export function markup(parts: TemplateStringsArray, ...values: Value[]): Markup {
    return new Markup(parts.reduce((text, part, index) => text + render(values[index - 1]!) + part));
}

export const nothing = new Markup("");
