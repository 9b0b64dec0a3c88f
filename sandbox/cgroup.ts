import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { SiteName } from "../model/estate.ts";
import { Failure } from "../model/failure.ts";

/** Where cgroup v2 is mounted: alone, or beside version 1 as systemd's hybrid layout has it. */
export function cgroupRoot(): string {
    for (const root of ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"])
        if (existsSync(join(root, "cgroup.procs")) && existsSync(join(root, "cgroup.controllers"))) return root;
    throw new Failure(
        "prerequisite",
        "cgroup v2 is not mounted, and a site is lost by freezing and killing its cgroup",
        "mount -t cgroup2 none /sys/fs/cgroup",
    );
}

/**
 * The processes of one site, whatever they forked. Nothing leaves it: a child is born in its parent's cgroup.
 * @see https://docs.kernel.org/admin-guide/cgroup-v2.html (cgroup.freeze, cgroup.kill)
 */
export class Cgroup {
    readonly directory: string;

    constructor(sandbox: string, site: SiteName) {
        this.directory = join(cgroupRoot(), `lifeboat-${sandbox}-${site}`);
    }

    /** Makes it, thawed: a freeze outlives a kill. */
    create(): void {
        mkdirSync(this.directory, { recursive: true });
        this.write("cgroup.freeze", "0");
    }

    /**
     * Stops every process where it is: connections stay open and silent. Resolves when all stand still, or after `limit` ms: one that waits for a disk
     * stands still when it has it.
     */
    async freeze(limit = 2000): Promise<void> {
        this.write("cgroup.freeze", "1");
        for (
            const end = Date.now() + limit;
            Date.now() < end && !/^frozen 1$/m.test(readFileSync(join(this.directory, "cgroup.events"), "utf8"));
        )
            await sleep(2);
    }

    thaw(): void {
        this.write("cgroup.freeze", "0");
    }

    /** Kills every process, frozen or not. Resolves when none is left. */
    async kill(): Promise<void> {
        if (!existsSync(this.directory)) return;
        this.write("cgroup.kill", "1");
        while (/^populated 1$/m.test(readFileSync(join(this.directory, "cgroup.events"), "utf8"))) await sleep(5);
    }

    /** Process ids, as the reader's pid namespace has them. */
    pids(): number[] {
        return readFileSync(join(this.directory, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
    }

    async remove(): Promise<void> {
        if (!existsSync(this.directory)) return;
        await this.kill();
        for (let attempt = 0; ; attempt++)
            try {
                for (const entry of readdirSync(this.directory, { withFileTypes: true }))
                    if (entry.isDirectory()) rmdirSync(join(this.directory, entry.name));
                return rmdirSync(this.directory);
            } catch (error) {
                // The last process is dead, and yet the kernel may still be taking it down.
                if ((error as NodeJS.ErrnoException).code !== "EBUSY" || attempt === 100) throw error;
                await sleep(10);
            }
    }

    private write(file: string, text: string): void {
        writeFileSync(join(this.directory, file), text);
    }
}
