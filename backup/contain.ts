import { Duplex } from "node:stream";

/**
 * Runs a stream that cannot bear being destroyed inside one that can. The Encryption SDK's streams are pipelines of their own: destroyed half-way
 * they throw where nobody can catch it. Here the inner one is fed and read, and simply left alone when the outer one is destroyed.
 */
export function contain(inner: Duplex): Duplex {
    const outer = new Duplex({
        read: () => void inner.resume(),
        write(chunk: Buffer, _encoding, done) {
            if (inner.write(chunk)) done();
            else inner.once("drain", done);
        },
        final(done) {
            inner.end();
            done();
        },
        destroy(error, done) {
            inner.removeAllListeners("data");
            inner.pause();
            done(error);
        },
    });
    inner.on("data", (chunk: Buffer) => {
        if (!outer.push(chunk)) inner.pause();
    });
    inner.on("end", () => outer.push(null));
    inner.on("error", (error: Error) => outer.destroy(error));
    return outer;
}
