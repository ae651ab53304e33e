// Which pair loops of the core run here, for `diffpair doctor`.

%{
#include "diffpair/InstructionSet.h"
%}

%inline %{
/** portable, x86-64-v3 or x86-64-v4. */
std::string _instructionSet() {
    return diffpair::instructionSet();
}
%}
