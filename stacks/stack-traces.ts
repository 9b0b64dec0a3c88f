/**
 * Imported first. Pulumi's runner has source-map-support rewrite every stack trace, and its SDK takes several for each resource: half a second of a
 * preview. Node strips types in place, so lines and columns are right as they are.
 */
Reflect.deleteProperty(Error, "prepareStackTrace");
