import { startDns, type DnsOptions } from "./server.ts";

// The program of the `dns` daemon: `node dns-process.ts OPTIONS`, options as JSON.
const dns = await startDns(JSON.parse(process.argv[2] ?? "") as DnsOptions);
console.log(`dns on port ${dns.port}`);
process.on("SIGTERM", () => void dns.close().then(() => process.exit(0)));
