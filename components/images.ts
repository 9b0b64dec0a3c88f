/** The image of this repository's own command (images/lifeboat.Dockerfile): backups, guards, the latch's publisher. */
export const lifeboatImage = "lifeboat/lifeboat:0.1.0";
