import ts from "typescript";
import { nameOfCallee, type Callable, type Links } from "./links.ts";
import { walk } from "./source.ts";
import { at, combine, distinct, hole, mostLines, oneUnknown, shorten, tail, type Line, type Word } from "./words.ts";

/** What the parameters of the functions that are being evaluated stand for. */
interface Bound {
    readonly call: ts.CallExpression | ts.NewExpression;
    readonly scope: Scope;
}
export type Scope = ReadonlyMap<ts.Node, Bound>;
const nowhere: Scope = new Map();

/** `x!`, `(x)`, `x as T`, `await x` are x. */
function bare(node: ts.Expression): ts.Expression {
    if (ts.isNonNullExpression(node) || ts.isParenthesizedExpression(node) || ts.isAsExpression(node)) return bare(node.expression);
    if (ts.isSatisfiesExpression(node) || ts.isAwaitExpression(node)) return bare(node.expression);
    return node;
}

/** The function that a parameter belongs to. */
const ownerOf = (parameter: ts.ParameterDeclaration) => parameter.parent as Callable;

function returned(body: ts.Node | undefined): ts.Expression[] {
    if (body === undefined) return [];
    if (!ts.isBlock(body)) return [body as ts.Expression];
    const found: ts.Expression[] = [];
    walk(body, (node) => {
        if (ts.isReturnStatement(node) && node.expression && ts.findAncestor(node, ts.isFunctionLike) === body.parent)
            found.push(node.expression);
    });
    return found;
}

/** Which element of a list a pattern's name is. */
interface Place {
    readonly from: number;
    readonly rest: boolean;
}

/** Follows the values of words and lists through a tree: constants, parameters to every caller, properties to everything they are given, results. */
export class Values {
    readonly #links: Links;
    readonly #open = new Set<string>();
    readonly #ids = new Map<ts.Node, number>();

    constructor(links: Links) {
        this.#links = links;
    }

    /** What a word may be. */
    words(expression: ts.Expression, scope: Scope = nowhere): Word[] {
        const node = bare(expression);
        return distinct(
            this.#once(node, scope, "word", () => {
                if (ts.isStringLiteralLike(node)) return [{ text: node.text, at: node }];
                if (ts.isTemplateExpression(node)) return this.#template(node, scope);
                if (ts.isPropertyAccessExpression(node) && node.getText() === "process.execPath") return [{ text: "node", at: node }];
                if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken)
                    return combine([this.#texts(node.left, scope), this.#texts(node.right, scope)]).map((text) => ({ text, at: node }));
                if (ts.isElementAccessExpression(node) && ts.isNumericLiteral(node.argumentExpression))
                    return this.lines(node.expression, scope).map((line) => at(line, Number(node.argumentExpression.getText()), node));
                if (ts.isNewExpression(node) && node.expression.getText() === "URL" && node.arguments?.[0])
                    return this.words(node.arguments[0], scope);
                if (ts.isPropertyAccessExpression(node) && node.name.text === "pathname") return this.words(node.expression, scope);
                if (ts.isIdentifier(node) && node.text === "undefined") return [];
                if (ts.isCallExpression(node)) {
                    const known = this.#knownCall(node, scope);
                    if (known) return known;
                }
                return this.#follow(node, scope, (next, nextScope) => this.words(next, nextScope), {
                    unknown: { unknown: shorten(node), at: node },
                    element: (lines, place) => lines.map((line) => at(line, place.from, node)),
                    gathered: () => [{ unknown: shorten(node), at: node }],
                });
            }),
        );
    }

    /** What a list of words may be. */
    lines(expression: ts.Expression, scope: Scope = nowhere): Line[] {
        const node = bare(expression);
        return distinct(
            this.#once(node, scope, "line", () => {
                if (ts.isIdentifier(node) && node.text === "undefined") return [];
                if (ts.isArrayLiteralExpression(node)) return this.#array(node.elements, scope);
                if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
                    const list = node.expression.expression;
                    const [first] = node.arguments;
                    if (node.expression.name.text === "slice" && first && ts.isNumericLiteral(first) && node.arguments.length === 1)
                        return this.lines(list, scope).map((line) => tail(line, Number(first.text)));
                    if (node.expression.name.text === "split" && first && ts.isStringLiteralLike(first))
                        return this.words(list, scope).map((word) =>
                            "text" in word
                                ? word.text.split(first.text).map((text) => ({ text, at: word.at }))
                                : [{ rest: word.unknown, at: word.at }],
                        );
                }
                const unknown: Line = [{ rest: shorten(node), at: node }];
                return this.#follow<Line>(node, scope, (next, nextScope) => this.lines(next, nextScope), {
                    unknown,
                    element: (lines, place) => (place.rest ? lines.map((line) => tail(line, place.from)) : [unknown]),
                    gathered: (call, from, callScope) => this.#array((call.arguments ?? []).slice(from), callScope),
                });
            }),
        );
    }

    /** What `program(FILE, ARGUMENTS)` starts: both of one caller, where they come from one. */
    commands(file: ts.Expression, rest: ts.Expression | undefined, scope: Scope = nowhere): Line[] {
        const list = rest && this.#cut(bare(file), bare(rest));
        if (list && ts.isParameter(list))
            return this.#parameter<Line>(list, scope, (next, where) => this.lines(next, where), {
                unknown: [{ rest: shorten(list), at: list }],
                gathered: () => [],
            });
        if (list) return this.lines(list, scope);
        const owner = this.#openOwner(bare(file), scope) ?? (rest && this.#openOwner(bare(rest), scope));
        const callers = owner ? this.#links.callers(owner) : [];
        if (owner && callers.length > 0)
            return distinct(
                callers.flatMap((call) => {
                    const bound = this.#bind(owner, call, nowhere, scope);
                    const [fileThere, restThere] = [this.#argument(bare(file), bound), rest && this.#argument(bare(rest), bound)];
                    return fileThere && restThere ? this.commands(fileThere, restThere) : this.#crossed(file, rest, bound);
                }),
            );
        return this.#crossed(file, rest, scope);
    }

    #crossed(file: ts.Expression, rest: ts.Expression | undefined, scope: Scope): Line[] {
        const words = this.words(file, scope);
        const lines: Line[] = rest ? this.lines(rest, scope) : [[]];
        const ways: Line[] = rest && words.length * lines.length > mostLines ? [[{ rest: shorten(rest), at: rest }]] : lines;
        return distinct(words.flatMap((word) => ways.map((line) => [word, ...line])));
    }

    /** The argument that a parameter's name stands for, where it is just that. */
    #argument(node: ts.Expression, scope: Scope): ts.Expression | undefined {
        if (!ts.isIdentifier(node)) return undefined;
        const [declaration] = this.#links.declarations(node);
        if (!declaration || !ts.isParameter(declaration) || declaration.dotDotDotToken) return undefined;
        return scope.get(ownerOf(declaration))?.call.arguments?.[ownerOf(declaration).parameters.indexOf(declaration)];
    }

    /** The function whose parameter a name is, if nobody has said who calls it. */
    #openOwner(node: ts.Expression, scope: Scope): Callable | undefined {
        if (!ts.isIdentifier(node)) return undefined;
        const [declaration] = this.#links.declarations(node);
        return declaration && ts.isParameter(declaration) && !scope.has(ownerOf(declaration)) ? ownerOf(declaration) : undefined;
    }

    /** The list that `first` is the head of and `rest` the tail: `[file, ...argv] = list`, `list[0]` and `list.slice(1)`. */
    #cut(first: ts.Expression, rest: ts.Expression): ts.Expression | ts.ParameterDeclaration | undefined {
        if (ts.isElementAccessExpression(first) && ts.isCallExpression(rest) && ts.isPropertyAccessExpression(rest.expression)) {
            const same = rest.expression.expression.getText() === first.expression.getText();
            return same && rest.getText().endsWith(".slice(1)") && first.argumentExpression.getText() === "0"
                ? first.expression
                : undefined;
        }
        if (!ts.isIdentifier(first) || !ts.isIdentifier(rest)) return undefined;
        const [[head], [others]] = [this.#links.declarations(first), this.#links.declarations(rest)];
        if (!head || !others || !ts.isBindingElement(head) || !ts.isBindingElement(others) || head.parent !== others.parent)
            return undefined;
        if (!ts.isArrayBindingPattern(head.parent) || head.parent.elements[0] !== head || !others.dotDotDotToken) return undefined;
        const { parent } = head.parent;
        return ts.isParameter(parent) ? parent : ts.isVariableDeclaration(parent) ? parent.initializer : undefined;
    }

    #template(node: ts.TemplateExpression, scope: Scope): Word[] {
        const parts = node.templateSpans.flatMap(({ expression, literal }) => [this.#texts(expression, scope), [literal.text]]);
        return combine([[node.head.text], ...parts]).map((text) => ({ text, at: node }));
    }

    /** The texts of an expression; a hole for what can't be followed. */
    #texts(expression: ts.Expression, scope: Scope): string[] {
        return [...new Set(this.words(expression, scope).map((word) => ("text" in word ? word.text : hole)))];
    }

    /** Paths are put together by Node's functions; `which` looks for the program that it is told. */
    #knownCall(node: ts.CallExpression, scope: Scope): Word[] | undefined {
        const name = nameOfCallee(node.expression).getText();
        const [first] = node.arguments;
        // Only a path's last part says which program it is.
        const last = node.arguments.at(-1);
        if (name === "join" && ts.isIdentifier(node.expression) && last)
            return ts.isSpreadElement(last) ? undefined : this.#texts(last, scope).map((text) => ({ text: `${hole}/${text}`, at: node }));
        if (["which", "realpathSync", "fileURLToPath", "String"].includes(name) && first) return this.words(first, scope);
        return undefined;
    }

    #array(elements: readonly ts.Expression[], scope: Scope): Line[] {
        return elements.reduce<Line[]>(
            (lines, element) => {
                const next: Line[] = ts.isSpreadElement(element)
                    ? this.lines(element.expression, scope)
                    : oneUnknown(this.words(element, scope)).map((word) => [word]);
                // Too many ways to write down: whoever has to know this word is told that it is not known.
                const ways: Line[] = lines.length * next.length > mostLines ? [[{ rest: shorten(element), at: element }]] : next;
                return distinct(lines.flatMap((line) => ways.map((more) => [...line, ...more])));
            },
            [[]],
        );
    }

    /** What words and lists have in common: names, properties, choices and calls lead to other expressions. */
    #follow<T>(
        node: ts.Expression,
        scope: Scope,
        evaluate: (next: ts.Expression, scope: Scope) => T[],
        how: {
            unknown: T;
            element: (lines: Line[], place: Place) => T[];
            gathered: (call: Bound["call"], from: number, scope: Scope) => T[];
        },
    ): T[] {
        if (ts.isConditionalExpression(node)) return [...evaluate(node.whenTrue, scope), ...evaluate(node.whenFalse, scope)];
        if (ts.isBinaryExpression(node) && ["??", "||", "&&"].includes(node.operatorToken.getText()))
            return [...(node.operatorToken.getText() === "&&" ? [] : evaluate(node.left, scope)), ...evaluate(node.right, scope)];
        const results = (of: Callable, call: ts.CallExpression | undefined) =>
            returned(of.body).flatMap((value) => evaluate(value, call ? this.#bind(of, call, scope, scope) : scope));
        if (ts.isElementAccessExpression(node)) {
            // One of a table's values.
            const table = this.#object(node.expression);
            if (table)
                return table.properties.flatMap((entry) =>
                    ts.isPropertyAssignment(entry) ? evaluate(entry.initializer, scope) : [how.unknown],
                );
        }
        if (ts.isCallExpression(node)) {
            const callees = this.#links.declarations(nameOfCallee(node.expression)).flatMap((to) => this.#links.functions(to));
            const found = [...new Set(callees)].flatMap((of) => results(of, node));
            return found.length > 0 ? found : [how.unknown];
        }
        const name = ts.isIdentifier(node) ? node : ts.isPropertyAccessExpression(node) ? node.name : undefined;
        if (name === undefined) return [how.unknown];
        const found = this.#links.declarations(name).flatMap((declaration): T[] => {
            if (ts.isParameter(declaration)) return this.#parameter(declaration, scope, evaluate, how);
            if (ts.isBindingElement(declaration)) return this.#pattern(declaration, scope, evaluate, how);
            if (ts.isVariableDeclaration(declaration) && ts.isForOfStatement(declaration.parent.parent))
                return this.lines(declaration.parent.parent.expression, scope).flatMap((line) =>
                    line.flatMap((_, index) => how.element([line], { from: index, rest: false })),
                );
            if (ts.isGetAccessor(declaration)) return results(declaration, undefined);
            return this.#links.values(declaration).flatMap((value) => evaluate(value, ts.isIdentifier(node) ? scope : nowhere));
        });
        return found.length > 0 ? found : [how.unknown];
    }

    #object(expression: ts.Expression): ts.ObjectLiteralExpression | undefined {
        const node = bare(expression);
        if (ts.isObjectLiteralExpression(node)) return node;
        const [declaration] = ts.isIdentifier(node) ? this.#links.declarations(node) : [];
        return declaration && ts.isVariableDeclaration(declaration) && declaration.initializer
            ? this.#object(declaration.initializer)
            : undefined;
    }

    #parameter<T>(
        parameter: ts.ParameterDeclaration,
        scope: Scope,
        evaluate: (next: ts.Expression, scope: Scope) => T[],
        { unknown, gathered }: { unknown: T; gathered: (call: Bound["call"], from: number, scope: Scope) => T[] },
    ): T[] {
        const owner = ownerOf(parameter);
        const index = owner.parameters.indexOf(parameter);
        const bound = scope.get(owner);
        const calls: Bound[] = bound ? [bound] : this.#links.callers(owner).map((call) => ({ call, scope: nowhere }));
        return calls.flatMap((each) => {
            if (parameter.dotDotDotToken) return gathered(each.call, index, each.scope);
            const given = each.call.arguments ?? [];
            // A spread before it moves everything: no single argument can be pointed at.
            if (given.slice(0, index + 1).some(ts.isSpreadElement)) return [unknown];
            const argument = given[index] ?? parameter.initializer;
            return argument ? evaluate(argument, each.scope) : [];
        });
    }

    #pattern<T>(
        element: ts.BindingElement,
        scope: Scope,
        evaluate: (next: ts.Expression, scope: Scope) => T[],
        { unknown, element: pick }: { unknown: T; element: (lines: Line[], place: Place) => T[] },
    ): T[] {
        const { parent: pattern } = element;
        const fallback = element.initializer ? evaluate(element.initializer, scope) : [];
        if (ts.isArrayBindingPattern(pattern)) {
            const place = { from: pattern.elements.indexOf(element), rest: element.dotDotDotToken !== undefined };
            const whole = pattern.parent;
            if (ts.isVariableDeclaration(whole) && whole.initializer) return pick(this.lines(whole.initializer, scope), place);
            if (ts.isParameter(whole))
                return pick(
                    this.#parameter<Line>(whole, scope, (next, where) => this.lines(next, where), {
                        unknown: [{ rest: shorten(element), at: element }],
                        gathered: () => [],
                    }),
                    place,
                );
            return [unknown];
        }
        const properties = this.#links.declarations(element.propertyName ?? element.name).filter((found) => found !== element);
        const found = [...properties, ...this.#links.members(element)]
            .flatMap((property) => this.#links.values(property))
            .flatMap((value) => evaluate(value, nowhere));
        return [...found, ...fallback].length > 0 ? [...found, ...fallback] : [unknown];
    }

    #bind(of: Callable, call: Bound["call"], callScope: Scope, scope: Scope): Scope {
        return new Map([...scope, [of as ts.Node, { call, scope: callScope }]]);
    }

    /** What leads back to itself adds nothing. */
    #once<T>(node: ts.Node, scope: Scope, what: string, evaluate: () => T[]): T[] {
        const id = (of: ts.Node) => this.#ids.get(of) ?? (this.#ids.set(of, this.#ids.size), this.#ids.size - 1);
        const key = `${what} ${id(node)} ${[...scope].map(([of, { call }]) => `${id(of)}=${id(call)}`).join()}`;
        if (this.#open.has(key) || this.#open.size > 200) return [];
        this.#open.add(key);
        try {
            return evaluate();
        } finally {
            this.#open.delete(key);
        }
    }
}
