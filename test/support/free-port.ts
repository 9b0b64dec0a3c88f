export { freePort } from "../../sandbox/free-port.ts";
