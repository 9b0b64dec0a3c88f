import tseslint from "typescript-eslint";

/** Which rooms a room may import from, besides itself. Only scripts and tests see the sandbox (below). */
const rooms = {
    model: [],
    stores: ["model"],
    components: ["model", "stores"],
    policies: ["model"],
    backup: ["model", "stores"],
    recovery: ["model", "stores", "backup"],
    stacks: ["model", "stores", "components"],
    sandbox: ["model", "stores"],
    examples: [],
    scripts: ["model", "stores", "backup", "recovery", "stacks", "components", "policies"],
    test: ["model", "stores", "components", "policies", "backup", "recovery", "stacks", "sandbox", "scripts", "examples"],
};
/** The commands that are about this machine, and so may know the sandbox. No production path leads through them. */
const machineScripts = [
    "scripts/commands/{bench,sandbox,rehearse,evidence,history,setup,check,test}.ts",
    "scripts/{setup,checks,testing,evidence}/**",
];

/** AWS clients without time limits wait for a dead region without end: one factory makes them all. */
const clients = {
    selector: "NewExpression[callee.name=/\\w+Client$/]",
    message: "AWS clients come from backup/clients.ts, which gives them connect, request and total time limits.",
};
/** What is particular to a kind of store stands in its folder: a kind that another room knows by name is a place that a new kind would have to touch. */
const kindNames = ["Literal[value", "TemplateElement[value.raw"].map((node) => ({
    selector: `${node}=/\\b(mariadb|mysql|postgres(ql)?)\\b/i]`,
    message: "The name of a kind of store belongs into stores/ (or the estate's declaration): ask kindOf(store).",
}));
const defaultExport = { selector: "ExportDefaultDeclaration", message: "Export by name: one thing, one name everywhere." };

/** Forbids imports of the rooms that are not allowed, written as `import … from` or as `import(…)`. */
function arrows(room, allowed, { clientsAllowed = false, kindsAllowed = false } = {}) {
    const forbidden = Object.keys(rooms).filter((other) => other !== room && !allowed.includes(other));
    const pattern = `^(\\.\\./)+(${forbidden.join("|")})/`;
    const message = `${room} may import ${allowed.join(", ") || "no other room"}: the arrows between the rooms point one way.`;
    return {
        "no-restricted-imports": forbidden.length ? ["error", { patterns: [{ regex: pattern, message }] }] : "off",
        "no-restricted-syntax": [
            "error",
            defaultExport,
            ...(clientsAllowed ? [] : [clients]),
            ...(kindsAllowed ? [] : kindNames),
            ...(forbidden.length ? [{ selector: `ImportExpression[source.value=/${pattern.replaceAll("/", "\\/")}/]`, message }] : []),
        ],
    };
}

export default tseslint.config(
    { ignores: ["node_modules/**", "node_modules.*/**", "coverage/**", "sandbox/toolchain/**"] },
    {
        files: ["**/*.ts"],
        extends: [tseslint.configs.base],
        languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
        linterOptions: { reportUnusedDisableDirectives: "error" },
        rules: {
            "@typescript-eslint/no-explicit-any": "error",
            "@typescript-eslint/consistent-type-imports": "error",
            // A promise that nobody waits for is an error that nobody sees.
            "@typescript-eslint/no-floating-promises": "error",
            "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { arguments: false, attributes: false } }],
            "@typescript-eslint/await-thenable": "error",
            "@typescript-eslint/only-throw-error": "error",
            "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
            "no-empty": ["error", { allowEmptyCatch: false }],
            "no-fallthrough": "error",
            "no-var": "error",
            "prefer-const": "error",
            eqeqeq: "error",
            "max-lines": ["error", { max: 300, skipBlankLines: true }],
        },
    },
    ...Object.entries(rooms).map(([room, allowed]) => ({
        files: [`${room}/**/*.ts`],
        rules: arrows(room, allowed, {
            clientsAllowed: room === "sandbox" || room === "test",
            kindsAllowed: ["stores", "sandbox", "test", "examples"].includes(room),
        }),
    })),
    { files: ["backup/clients.ts"], rules: arrows("backup", rooms.backup, { clientsAllowed: true }) },
    // A suite is one idea, however many sentences it takes.
    { files: ["test/**/*.ts"], rules: { "max-lines": ["error", { max: 400, skipBlankLines: true }] } },
    { files: machineScripts, rules: arrows("scripts", [...rooms.scripts, "sandbox"], { kindsAllowed: true }) },
    { files: ["stacks/estate.ts"], rules: arrows("stacks", rooms.stacks, { kindsAllowed: true }) },
);
