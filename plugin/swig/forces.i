// The forces as Python classes that share OpenMM's table of SWIG types.
%module(package="diffpair") _openmm_forces

%pythonbegin %{
"""DiffPair's forces for OpenMM: PairTableForce and TorchPairForce. Made by SWIG; torch is not imported here."""

from diffpair import _libraries

_libraries.load_openmm_plugins()  # before the extension module, which links to what this loads
%}

%begin %{
#define SWIG_PYTHON_CAST_MODE
%}

%{
#include "diffpair/openmm/TorchPairForce.h"
#include <OpenMM.h>
#include <OpenMMAmoeba.h>
#include <OpenMMDrude.h>
#include <openmm/RPMDIntegrator.h>
#include <openmm/RPMDMonteCarloBarostat.h>
#include <openmm/serialization/XmlSerializer.h>
#include <sstream>
%}

%import(module="openmm") "swig/OpenMMSwigHeaders.i"
%include "typemaps_diffpair.i"

%pythoncode %{
from openmm import unit
%}


%include "units.i"
%include "casting.i"

%newobject DiffPairPlugin::TorchPairForce::createPairTableForce;

%include "diffpair/openmm/Export.h"
%include "diffpair/openmm/PairForce.h"
%include "diffpair/openmm/PairTableForce.h"
%include "diffpair/openmm/TorchPairForce.h"

DIFFPAIR_CASTING(PairTableForce)
DIFFPAIR_CASTING(TorchPairForce)
%include "python_table.i"
%include "python_torch.i"
%include "histogram.i"
%include "instruction_set.i"
