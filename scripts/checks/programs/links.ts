import ts from "typescript";
import { walk, type Source } from "./source.ts";

type Call = ts.CallExpression | ts.NewExpression;
export type Callable = ts.SignatureDeclaration & { body?: ts.Node | undefined };

/** Who calls a function, and what a property is given, over the whole tree. */
export interface Links {
    /** Calls that may reach a function, also through an interface that it implements or a name that it was handed on under. */
    callers(of: Callable): Call[];
    /** Calls of a variable. */
    calls(of: ts.Node): Call[];
    /** Expressions that a property or variable is given. */
    values(of: ts.Declaration): ts.Expression[];
    /** Functions and getters that a declaration stands for. */
    functions(of: ts.Declaration): Callable[];
    /** The properties that `{ name } = object` reads. */
    members(of: ts.BindingElement): readonly ts.Declaration[];
    /** Where a name or a property was declared; through imports. */
    declarations(node: ts.Node): readonly ts.Declaration[];
}

const isCallable = (node: ts.Node): node is Callable => ts.isFunctionLike(node) && "body" in node;

/** A name's declarations. @param node an identifier, or the name of a property */
function declared(checker: ts.TypeChecker, node: ts.Node): readonly ts.Declaration[] {
    const symbol =
        ts.isShorthandPropertyAssignment(node.parent) && node.parent.name === node
            ? checker.getShorthandAssignmentValueSymbol(node.parent)
            : checker.getSymbolAtLocation(node);
    if (symbol === undefined) return [];
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    return target.declarations ?? [];
}

/** What a call calls: the name itself, or a property's name. */
export const nameOfCallee = (callee: ts.Expression): ts.Node => (ts.isPropertyAccessExpression(callee) ? callee.name : callee);

/** Members of the same name in the types that a member's object has to be. */
function promised(checker: ts.TypeChecker, member: ts.Node): readonly ts.Declaration[] {
    const name = ts.isObjectLiteralElement(member) || ts.isClassElement(member) ? member.name : undefined;
    if (name === undefined || !(ts.isIdentifier(name) || ts.isStringLiteral(name))) return [];
    const types = ts.isObjectLiteralExpression(member.parent)
        ? [checker.getContextualType(member.parent)]
        : ts.isClassLike(member.parent)
          ? (member.parent.heritageClauses ?? []).flatMap(({ types }) => types.map((type) => checker.getTypeAtLocation(type)))
          : [];
    return types
        .flatMap((type) => (type?.isUnion() ? type.types : type ? [type] : []))
        .flatMap((type) => checker.getPropertyOfType(type, name.text)?.declarations ?? []);
}

export function link({ files, checker }: Source): Links {
    const calls = new Map<ts.Node, Call[]>();
    const given = new Map<ts.Node, ts.Expression[]>();
    const aliases = new Map<ts.Node, ts.Node[]>();
    const add = <T>(map: Map<ts.Node, T[]>, key: ts.Node, value: T) => void map.set(key, [...(map.get(key) ?? []), value]);

    /** Names under which what stands at `node` is known from there on. */
    const handedOn = (node: ts.Node): readonly ts.Node[] => {
        const { parent } = node;
        if (ts.isVariableDeclaration(parent) || ts.isPropertyDeclaration(parent)) return [parent];
        if (ts.isPropertyAssignment(parent)) return [parent, ...promised(checker, parent)];
        if (ts.isShorthandPropertyAssignment(parent)) return [parent, ...promised(checker, parent)];
        if ((ts.isCallExpression(parent) || ts.isNewExpression(parent)) && parent.expression !== node) {
            const index = parent.arguments?.indexOf(node as ts.Expression) ?? -1;
            return declared(checker, nameOfCallee(parent.expression)).flatMap((declaration) =>
                functionsAt(declaration).flatMap(({ parameters }) => parameters[index] ?? []),
            );
        }
        return [];
    };
    const functionsAt = (declaration: ts.Node): Callable[] => {
        if (isCallable(declaration)) return [declaration];
        if (ts.isClassLike(declaration)) return declaration.members.filter(ts.isConstructorDeclaration);
        const initializer = "initializer" in declaration ? (declaration.initializer as ts.Node | undefined) : undefined;
        return initializer && isCallable(initializer) ? [initializer] : [];
    };

    for (const file of files)
        walk(file, (node) => {
            if (ts.isCallExpression(node) || ts.isNewExpression(node))
                for (const declaration of declared(checker, nameOfCallee(node.expression))) add(calls, declaration, node);
            if (ts.isPropertyAssignment(node)) for (const key of [node, ...promised(checker, node)]) add(given, key, node.initializer);
            if (ts.isShorthandPropertyAssignment(node)) for (const key of [node, ...promised(checker, node)]) add(given, key, node.name);
            if ((ts.isVariableDeclaration(node) || ts.isPropertyDeclaration(node)) && node.initializer) add(given, node, node.initializer);
            if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken)
                for (const key of declared(checker, nameOfCallee(node.left))) add(given, key, node.right);
            if ((ts.isMethodDeclaration(node) || ts.isGetAccessor(node)) && !ts.isSourceFile(node.parent))
                for (const key of promised(checker, node)) add(aliases, node, key);
            if (ts.isArrowFunction(node) || ts.isFunctionExpression(node)) for (const key of handedOn(node)) add(aliases, node, key);
            if (ts.isIdentifier(node))
                for (const key of handedOn(node)) for (const declaration of declared(checker, node)) add(aliases, declaration, key);
        });

    /** The function's own declaration and every name that it goes by. */
    const known = (of: ts.Node, seen = new Set<ts.Node>()): Set<ts.Node> => {
        if (seen.has(of)) return seen;
        seen.add(of);
        for (const alias of aliases.get(of) ?? []) known(alias, seen);
        return seen;
    };
    return {
        callers: (of) => [...new Set([...known(ts.isConstructorDeclaration(of) ? of.parent : of)].flatMap((key) => calls.get(key) ?? []))],
        calls: (of) => calls.get(of) ?? [],
        values: (of) => given.get(of) ?? [],
        functions: (of) => {
            const implementing = [...aliases].filter(([, keys]) => keys.includes(of)).map(([node]) => node);
            return [of, ...implementing, ...(given.get(of) ?? [])].flatMap((node) => functionsAt(node));
        },
        members: ({ parent, propertyName, name }) =>
            checker.getTypeAtLocation(parent).getProperty((propertyName ?? name).getText())?.declarations ?? [],
        declarations: (node) => declared(checker, node),
    };
}
