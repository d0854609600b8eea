// Where does a function's code come from? The checkout bundles its sources, so that what is deployed is what is there. The
// package brings the same bundles ready made: who installs it has no bundler, and Node reads no TypeScript below
// node_modules. Templates differ in nothing but the asset.

import { fileURLToPath } from "node:url";
import { Code } from "aws-cdk-lib/aws-lambda";
import { type BundlingOptions, type NodejsFunctionProps, OutputFormat } from "aws-cdk-lib/aws-lambda-nodejs";

/** The one switch: this file is TypeScript in the checkout, and JavaScript in the package that was built from it. */
const isCheckout = import.meta.url.endsWith(".ts");

/** `npm run build` bundles for the package with these, the CDK for the checkout. */
export const BUNDLING = {
  format: OutputFormat.ESM,
  minify: true,
  sourceMap: false,
  target: "node24",
  // The SDK inside: loading Lambda's own copy is slower, and changes without notice.
  externalModules: [],
  // The packages' ES modules first, which is a third less to load.
  mainFields: ["module", "main"],
  // Some packages call `require` at load, which ES modules do not have.
  banner: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);',
} satisfies BundlingOptions;

/** `name` is a folder of `functions/`; in the package it holds the bundle alone. */
export function functionCode(name: string): NodejsFunctionProps {
  if (!isCheckout) return { code: Code.fromAsset(pathOf(`functions/${name}`)), handler: "index.handler" };
  return {
    entry: pathOf(`functions/${name}/handler.ts`),
    projectRoot: pathOf(""),
    depsLockFilePath: pathOf("package-lock.json"),
    bundling: BUNDLING,
  };
}

const pathOf = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
