// What OpenMM would return as a Quantity is one here too. Coefficients and parameter values are plain numbers.

%define DIFFPAIR_RETURNS(METHOD, UNIT)
%pythonappend DiffPairPlugin::METHOD %{
        val = unit.Quantity(val, UNIT)
%}
%enddef

DIFFPAIR_RETURNS(PairForce::getRMin, unit.nanometer)
DIFFPAIR_RETURNS(PairForce::getTableCutoff, unit.nanometer)
DIFFPAIR_RETURNS(PairForce::getCutoffDistance, unit.nanometer)
DIFFPAIR_RETURNS(PairTableForce::getPairEnergy, unit.kilojoule_per_mole)
DIFFPAIR_RETURNS(PairTableForce::getPairForce, unit.kilojoule_per_mole / unit.nanometer)
DIFFPAIR_RETURNS(TorchPairForce::getSwitchWidth, unit.nanometer)
DIFFPAIR_RETURNS(TorchPairForce::computeTabulationError, unit.kilojoule_per_mole / unit.nanometer)
DIFFPAIR_RETURNS(TorchPairForce::getTabulationError, unit.kilojoule_per_mole / unit.nanometer)
