/** The kernels that the appliance learns with (native/meaning.c). */
import { gramOfRows, multiplyRows, passTexts } from "../../ffi/meaning.ts";
import type { MeaningKernels } from "./kernels.ts";

export const NATIVE_KERNELS: MeaningKernels = {
  pass: passTexts,
  gram: gramOfRows,
  multiply: multiplyRows,
};
