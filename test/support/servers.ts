/** The throw-away database servers of the sandbox, for tests. */
export * from "../../sandbox/throwaway-servers.ts";
