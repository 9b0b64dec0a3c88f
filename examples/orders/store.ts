/** One of the two databases that keep the orders, as the service sees it. */
export interface Store {
    readonly name: string;
    /** Keeps the order and commits; an order of that number that is there already stays as it is. Gives the customer that is kept. */
    put(number: number, customer: string): Promise<string>;
    get(number: number): Promise<{ customer: string; placedAt: Date } | undefined>;
    /** Whether it would take a write now. @throws when it does not answer. */
    writable(): Promise<boolean>;
    close(): Promise<void>;
}

/** Where a database is, and as whom to talk to it. */
export interface Connection {
    host: string;
    port: number;
    user: string;
    password: string;
    database: string;
}

/** Time (ms) that a connection or a query may take: a lost site answers nothing at all, and a customer must not wait for it. */
export const limit = 2000;
/** Connections kept to each database. */
export const connections = 5;
/** Longest name of a customer, in characters. */
export const longestCustomer = 100;
